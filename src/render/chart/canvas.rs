//! Dots: where the values of a series lie on a grid of dots, joined by lines.
//!
//! The lines are drawn by textplots on its Braille canvas. It is handed whole
//! dots as its own coordinates, so its rounding in `f32` has nothing to round;
//! its frame, its axes and its colours are not used.

use textplots::{Chart, Plot, Shape};

/// The smallest canvas textplots accepts, in dots; what is beyond ours is cropped.
const SMALLEST: (usize, usize) = (32, 4);
/// Dots of a cell: Braille has two beside each other and four above each other.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bit of each dot in a Braille character, by row and column.
const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
const BRAILLE: u32 = 0x2800;

/// A dot, counted from the left and from the top.
pub type Dot = (usize, usize);

/// A grid of Braille cells, some of whose dots are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    columns: usize,
    masks: Vec<u8>,
}

impl Canvas {
    /// Draws each path as a line through its dots; a path of one dot is that dot.
    /// The grid has as many cells as hold `width` times `height` dots.
    pub fn draw(paths: &[Vec<Dot>], width: usize, height: usize) -> Canvas {
        let (across, down) = (width.max(SMALLEST.0), height.max(SMALLEST.1));
        let lines: Vec<Vec<(f32, f32)>> = paths
            .iter()
            .map(|path| {
                path.iter()
                    .map(|&(x, y)| (x as f32, (down - y) as f32))
                    .collect()
            })
            .collect();
        let shapes: Vec<Shape> = lines
            .iter()
            .map(|line| match line.as_slice() {
                [_] => Shape::Points(line),
                _ => Shape::Lines(line),
            })
            .collect();
        let (right, top) = (across as f32, down as f32);
        let mut chart = Chart::new_with_y_range(across as u32, down as u32, 0.0, right, 0.0, top);
        let chart = shapes
            .iter()
            .fold(&mut chart, |chart, shape| chart.lineplot(shape));
        chart.figures();
        Canvas::read(
            &chart.frame(),
            width.div_ceil(ACROSS),
            height.div_ceil(DOWN),
        )
    }

    fn read(frame: &str, columns: usize, rows: usize) -> Canvas {
        let mut masks = vec![0; columns * rows];
        for (row, line) in frame.lines().take(rows).enumerate() {
            for (column, c) in line.chars().take(columns).enumerate() {
                let bits = u32::from(c).wrapping_sub(BRAILLE);
                masks[row * columns + column] = u8::try_from(bits).unwrap_or(0);
            }
        }
        Canvas { columns, masks }
    }

    /// The dots of a cell as the bits of a Braille character; 0 outside the grid.
    pub fn mask(&self, column: usize, row: usize) -> u8 {
        if column >= self.columns {
            return 0;
        }
        self.masks
            .get(row * self.columns + column)
            .copied()
            .unwrap_or(0)
    }

    /// Whether a dot is set.
    pub fn is_set(&self, (x, y): Dot) -> bool {
        self.mask(x / ACROSS, y / DOWN) & BITS[y % DOWN][x % ACROSS] != 0
    }
}

/// The Braille character of a cell; a space when no dot is set.
pub fn braille(mask: u8) -> char {
    match mask {
        0 => ' ',
        _ => char::from_u32(BRAILLE + u32::from(mask)).unwrap_or(' '),
    }
}

/// The bits of one row of dots across a cell.
pub fn row_of_dots(y: usize) -> u8 {
    BITS[y % DOWN].iter().fold(0, |mask, bit| mask | bit)
}

/// The paths through values that follow each other without a gap. `None` is a gap.
///
/// Of the values that share a dot column only the first, lowest, highest and
/// last are kept: the picture is the same, and no spike is lost.
pub fn paths(dots: impl Iterator<Item = Option<Dot>>) -> Vec<Vec<Dot>> {
    let mut paths = Vec::new();
    let mut path: Vec<Dot> = Vec::new();
    let mut column: Option<Column> = None;
    for dot in dots.chain([None]) {
        column = match (column, dot) {
            (Some(open), Some((x, y))) if open.x == x => Some(open.with(y)),
            (open, next) => {
                path.extend(open.into_iter().flat_map(Column::dots));
                next.map(|(x, y)| Column::new(x, y))
            }
        };
        if dot.is_none() && !path.is_empty() {
            path.dedup();
            paths.push(std::mem::take(&mut path));
        }
    }
    paths
}

/// The values of one dot column, as heights in dots.
#[derive(Clone, Copy)]
struct Column {
    x: usize,
    first: usize,
    least: usize,
    most: usize,
    last: usize,
}

impl Column {
    fn new(x: usize, y: usize) -> Column {
        Column {
            x,
            first: y,
            least: y,
            most: y,
            last: y,
        }
    }

    fn with(self, y: usize) -> Column {
        Column {
            least: self.least.min(y),
            most: self.most.max(y),
            last: y,
            ..self
        }
    }

    fn dots(self) -> [Dot; 4] {
        [self.first, self.least, self.most, self.last].map(|y| (self.x, y))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(canvas: &Canvas, columns: usize, rows: usize) -> Vec<String> {
        (0..rows)
            .map(|row| {
                (0..columns)
                    .map(|column| braille(canvas.mask(column, row)))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_rising_line_crosses_its_cells_dot_by_dot() {
        let canvas = Canvas::draw(&[vec![(0, 7), (7, 0)]], 8, 8);
        assert_eq!(picture(&canvas, 4, 2), ["  ⡠⠊", "⡠⠊  "]);
    }

    #[test]
    fn a_gap_is_not_bridged() {
        let paths = paths([Some((0, 3)), Some((1, 3)), None, Some((6, 3))].into_iter());
        assert_eq!(paths, [vec![(0, 3), (1, 3)], vec![(6, 3)]]);
        assert_eq!(picture(&Canvas::draw(&paths, 8, 4), 4, 1), ["⣀  ⡀"]);
    }

    #[test]
    fn a_spike_among_many_values_of_a_column_stays() {
        let quiet = std::iter::repeat_n(Some((2, 15)), 1_000);
        let dots = quiet.clone().chain([Some((2, 0))]).chain(quiet);
        let paths = paths(dots);
        assert_eq!(paths, [vec![(2, 15), (2, 0), (2, 15)]]);
    }

    proptest! {
        #[test]
        fn every_value_is_a_dot_of_the_picture(
            width in 1..80usize,
            height in 1..50usize,
            shares in prop::collection::vec(prop::option::of(0.0..1.0f64), 1..200),
        ) {
            let dot = |(i, share): (usize, &Option<f64>)| {
                share.map(|share| (i * width / shares.len(), (share * height as f64) as usize))
            };
            let paths = paths(shares.iter().enumerate().map(dot));
            let canvas = Canvas::draw(&paths, width, height);
            for dot in shares.iter().enumerate().filter_map(dot) {
                prop_assert!(canvas.is_set(dot));
            }
        }
    }
}
