//! How columns are made to fit into a width: long texts are cut in the middle,
//! then columns are left out from the right. Numbers are never cut.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Drawn, GAP};

/// A text is not cut below this many columns to make room for others: a model's
/// name is still told from its sisters.
const SHORTEST: usize = 16;

/// The widths of the columns that fit, from the left.
pub(super) struct Fit {
    pub widths: Vec<usize>,
}

impl Fit {
    /// As many columns as fit into `room` when texts are cut; at least one.
    pub fn into(widths: &[usize], texts: &[bool], room: usize) -> Fit {
        let least: Vec<usize> = widths
            .iter()
            .zip(texts)
            .map(|(&width, &text)| if text { width.min(SHORTEST) } else { width })
            .collect();
        let kept = (1..=widths.len())
            .rev()
            .find(|&n| total(&least[..n]) <= room)
            .unwrap_or(1)
            .min(widths.len());
        let mut fit: Vec<usize> = widths[..kept].iter().map(|&w| w.min(room.max(1))).collect();
        while total(&fit) > room {
            let longest = (0..kept)
                .filter(|&i| fit[i] > least[i])
                .max_by_key(|&i| fit[i]);
            match longest {
                Some(i) => fit[i] -= 1,
                None => break,
            }
        }
        Fit { widths: fit }
    }
}

/// The width of a line with these columns.
pub(super) fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The columns that fit, their texts cut to their widths.
pub(super) fn cut(columns: Vec<Drawn>, fit: &Fit, ascii: bool) -> Vec<Drawn> {
    let fitted = columns.into_iter().zip(&fit.widths);
    fitted
        .map(|(column, &width)| {
            if !column.text {
                return column;
            }
            Drawn {
                header: cut_middle(&column.header, width, ascii),
                cells: column
                    .cells
                    .iter()
                    .map(|c| cut_middle(c, width, ascii))
                    .collect(),
                ..column
            }
        })
        .collect()
}

/// The text within `width` columns; what is too long loses its middle.
fn cut_middle(text: &str, width: usize, ascii: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mark = if ascii { "..." } else { "…" };
    let Some(room) = width.checked_sub(mark.width()) else {
        return mark.chars().take(width).collect();
    };
    let head = within(text.chars(), room.div_ceil(2));
    let tail = within(text.chars().rev(), room / 2);
    head.into_iter()
        .chain(mark.chars())
        .chain(tail.into_iter().rev())
        .collect()
}

fn within(chars: impl Iterator<Item = char>, room: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(
            cut_middle("claude-sonnet-4-20250514", 15, false),
            "claude-…0250514"
        );
        assert_eq!(
            cut_middle("claude-sonnet-4-20250514", 15, true),
            "claude...250514"
        );
        assert_eq!(cut_middle("東京東京東京", 7, false), "東…京");
        assert_eq!(cut_middle("claude", 6, false), "claude");
        assert_eq!(cut_middle("claude", 2, true), "..");
    }

    #[test]
    fn texts_give_way_before_columns_do() {
        let fit = Fit::into(&[40, 8, 8], &[true, false, false], 40);
        assert_eq!(fit.widths, [20, 8, 8]);
        let fit = Fit::into(&[40, 8, 8], &[true, false, false], 30);
        assert_eq!(fit.widths, [20, 8]);
        let fit = Fit::into(&[40, 8], &[true, false], 10);
        assert_eq!(fit.widths, [10]);
    }
}
