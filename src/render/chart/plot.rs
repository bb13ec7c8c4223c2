//! The area between the axes: lines of dots, marks along them, thresholds behind.
//!
//! In Unicode a cell is a Braille character of two by four dots; in ASCII a cell
//! is one dot and shows the mark of its series. It knows no values and no axes.

use super::canvas::{Canvas, Dot, braille, row_of_dots};
use super::text::{Ink, Line, mark};

/// Marks that a line of full width carries, so that it is known without colour.
const MARKS_ON_A_LINE: usize = 5;

/// The size of a plot in cells, and what a cell is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
    pub ascii: bool,
}

impl Size {
    /// Dots from left to right.
    pub fn width(self) -> usize {
        if self.ascii {
            self.columns
        } else {
            self.columns * 2
        }
    }

    /// Dots from top to bottom.
    pub fn height(self) -> usize {
        self.rows * self.dots_down()
    }

    /// The row of cells that a row of dots lies in.
    pub fn row_of(self, y: usize) -> usize {
        y / self.dots_down()
    }

    fn dots_down(self) -> usize {
        if self.ascii { 1 } else { 4 }
    }
}

/// Draws the lines of each series in its hue, and the thresholds (as rows of dots);
/// one line of text for each row of cells.
pub fn plot(
    size: Size,
    series: &[Vec<Vec<Dot>>],
    hues: &[usize],
    thresholds: &[usize],
) -> Vec<Line> {
    let canvases: Vec<Canvas> = series
        .iter()
        .map(|paths| Canvas::draw(paths, size.width(), size.height()))
        .collect();
    let mut cells = Cells::new(size);
    cells.draw_thresholds(thresholds);
    if size.ascii {
        cells.draw_marks_only(&canvases);
    } else {
        cells.draw_braille(&canvases);
        cells.mark_lonely_points(series, &canvases);
        if series.len() > 1 {
            cells.mark_lines(&canvases);
        }
    }
    (0..size.rows).map(|row| cells.line(row, hues)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Empty,
    Dash(char),
    Dots(char, usize),
    Mark(char, usize),
}

struct Cells {
    size: Size,
    cells: Vec<Cell>,
}

impl Cells {
    fn new(size: Size) -> Cells {
        Cells {
            size,
            cells: vec![Cell::Empty; size.columns * size.rows],
        }
    }

    fn at(&mut self, column: usize, row: usize) -> &mut Cell {
        &mut self.cells[row * self.size.columns + column]
    }

    fn each(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Size { columns, rows, .. } = self.size;
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (column, row)))
    }

    fn line(&self, row: usize, hues: &[usize]) -> Line {
        let start = row * self.size.columns;
        let mut line = Line::default();
        for cell in &self.cells[start..start + self.size.columns] {
            let (ink, c) = match *cell {
                Cell::Empty => (Ink::Plain, ' '),
                Cell::Dash(c) => (Ink::Threshold, c),
                Cell::Dots(c, series) | Cell::Mark(c, series) => (Ink::Series(hues[series]), c),
            };
            line.push(ink, c.encode_utf8(&mut [0; 4]));
        }
        line
    }

    fn draw_thresholds(&mut self, thresholds: &[usize]) {
        for &y in thresholds {
            let dash = if self.size.ascii {
                '-'
            } else {
                braille(row_of_dots(y))
            };
            for column in (0..self.size.columns).step_by(2) {
                *self.at(column, self.size.row_of(y)) = Cell::Dash(dash);
            }
        }
    }

    /// Cells shared by several series show all their dots; they take turns in
    /// lending the colour, so that none hides another.
    fn draw_braille(&mut self, canvases: &[Canvas]) {
        for (column, row) in self.each() {
            let masks = || canvases.iter().map(|canvas| canvas.mask(column, row));
            if let Some(series) = turn(masks().map(|mask| mask != 0), column) {
                let dots = masks().fold(0, |all, mask| all | mask);
                *self.at(column, row) = Cell::Dots(braille(dots), series);
            }
        }
    }

    fn draw_marks_only(&mut self, canvases: &[Canvas]) {
        for (column, row) in self.each() {
            let here = canvases.iter().map(|canvas| canvas.is_set((column, row)));
            if let Some(series) = turn(here, column) {
                *self.at(column, row) = Cell::Mark(mark(series, true), series);
            }
        }
    }

    /// A point with nothing of its series around it would be one faint dot.
    fn mark_lonely_points(&mut self, series: &[Vec<Vec<Dot>>], canvases: &[Canvas]) {
        for (i, (paths, canvas)) in series.iter().zip(canvases).enumerate() {
            for path in paths {
                if let [(x, y)] = path[..] {
                    let (column, row) = (x / 2, y / 4);
                    if is_lonely(canvas, column, row) && !self.is_mark(column, row) {
                        *self.at(column, row) = Cell::Mark(mark(i, false), i);
                    }
                }
            }
        }
    }

    /// Marks at regular distances along each line, each series in its own columns.
    fn mark_lines(&mut self, canvases: &[Canvas]) {
        let columns = self.size.columns;
        let count = canvases.len();
        let period = (columns / MARKS_ON_A_LINE).max(2 * count);
        let slot = period / count;
        for (series, canvas) in canvases.iter().enumerate() {
            let mut marked = false;
            for begin in (series * slot..columns).step_by(period) {
                marked |= self.mark_first(canvas, series, begin..columns.min(begin + slot));
            }
            if !marked {
                self.mark_first(canvas, series, 0..columns);
            }
        }
    }

    /// Marks the series in the first of the columns where it has a cell to mark.
    fn mark_first(
        &mut self,
        canvas: &Canvas,
        series: usize,
        mut columns: std::ops::Range<usize>,
    ) -> bool {
        let free = columns.find_map(|column| {
            let rows: Vec<usize> = (0..self.size.rows)
                .filter(|row| canvas.mask(column, *row) != 0 && !self.is_mark(column, *row))
                .collect();
            rows.get(rows.len() / 2).map(|row| (column, *row))
        });
        if let Some((column, row)) = free {
            *self.at(column, row) = Cell::Mark(mark(series, false), series);
        }
        free.is_some()
    }

    fn is_mark(&self, column: usize, row: usize) -> bool {
        matches!(self.cells[row * self.size.columns + column], Cell::Mark(..))
    }
}

/// Of the series that are here, the one whose turn it is in this column.
fn turn(here: impl Iterator<Item = bool>, column: usize) -> Option<usize> {
    let present: Vec<usize> = here
        .enumerate()
        .filter(|(_, here)| *here)
        .map(|(i, _)| i)
        .collect();
    (!present.is_empty()).then(|| present[column % present.len()])
}

/// Whether the cell holds a single dot of the series and the cells around it none.
fn is_lonely(canvas: &Canvas, column: usize, row: usize) -> bool {
    let around = |at: usize| at.saturating_sub(1)..=at + 1;
    let dots: u32 = around(row)
        .flat_map(|row| around(column).map(move |column| canvas.mask(column, row)))
        .map(u8::count_ones)
        .sum();
    dots == 1
}
