//! Line, steps and bars as paths of dots.
//!
//! It knows where a value lies, not what it is.

use super::Shape;
use super::canvas::{Dot, paths};

/// Dots that a bar must be wide before it leaves one free beside it.
const WIDE: usize = 3;

/// A bucket on the grid: its columns of dots `[from, until)` and the row of its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub from: usize,
    pub until: usize,
    pub y: Option<usize>,
}

/// The share of a slot that the bars of one series have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub nth: usize,
    pub of: usize,
}

impl Share {
    /// The part of `[from, until)`, in whatever it is counted.
    pub fn of_range(self, from: f64, until: f64) -> (f64, f64) {
        let at = |nth: usize| from + (until - from) * nth as f64 / self.of as f64;
        (at(self.nth), at(self.nth + 1))
    }
}

/// The paths of a series. Bars stand on the row `ground`.
pub(super) fn shaped(
    shape: Shape,
    slots: impl Iterator<Item = Slot>,
    share: Share,
    ground: usize,
) -> Vec<Vec<Dot>> {
    match shape {
        Shape::Line => paths(slots.map(|slot| Some((slot.from, slot.y?)))),
        Shape::Step => paths(slots.flat_map(|slot| {
            let end = slot.until.saturating_sub(1).max(slot.from);
            [slot.from, end].map(|x| Some((x, slot.y?)))
        })),
        Shape::Bar => slots.flat_map(|slot| bar(slot, share, ground)).collect(),
    }
}

/// A bar as one upright line for each column of dots.
fn bar(slot: Slot, share: Share, ground: usize) -> Vec<Vec<Dot>> {
    let Some(y) = slot.y else {
        return Vec::new();
    };
    let (from, until) = share.of_range(slot.from as f64, slot.until as f64);
    let (from, until) = (from as usize, (until as usize).max(from as usize + 1));
    let gap = usize::from(until - from >= WIDE);
    (from..until - gap)
        .map(|x| vec![(x, y), (x, ground)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Share = Share { nth: 0, of: 1 };

    fn slots() -> impl Iterator<Item = Slot> {
        let slot = |from, y| Slot {
            from,
            until: from + 4,
            y,
        };
        [slot(0, Some(2)), slot(4, Some(0)), slot(8, None)].into_iter()
    }

    #[test]
    fn a_step_holds_its_value_until_the_bucket_ends() {
        assert_eq!(
            shaped(Shape::Step, slots(), WHOLE, 3),
            [vec![(0, 2), (3, 2), (4, 0), (7, 0)]]
        );
    }

    #[test]
    fn bars_stand_on_the_ground_with_air_between_them() {
        let bars = shaped(Shape::Bar, slots(), WHOLE, 3);
        let xs: Vec<usize> = bars.iter().map(|bar| bar[0].0).collect();
        assert_eq!(xs, [0, 1, 2, 4, 5, 6]);
        assert!(bars.iter().all(|bar| bar[1].1 == 3));
    }
}
