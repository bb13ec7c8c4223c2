//! Which tier answers which part of a window.

use crate::model::{Millis, Resolution, Span};
use crate::store::Floors;

/// What is known about the store before it is read.
pub(super) struct Terrain<'a> {
    pub floors: Floors,
    /// Dirty minutes of the window, in order.
    pub dirty: &'a [Millis],
    /// The coarsest tier that knows the labels in question; raw when none does.
    pub coarsest: Resolution,
}

/// A part of the window and the tier that answers it. Parts do not overlap, but
/// for raw events before their floor, which no bucket knows yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub tier: Resolution,
    pub span: Span,
}

impl Terrain<'_> {
    /// The parts that make up the segments between neighbouring edges, in order.
    pub(super) fn cover(&self, edges: &[Millis]) -> Vec<Part> {
        let mut parts = Vec::new();
        for edge in edges.windows(2) {
            self.cover_span(self.coarsest, Span::new(edge[0], edge[1]), &mut parts);
        }
        if self.coarsest != Resolution::Raw {
            // Before the floor no edge falls inside a minute.
            let (first, last) = (edges[0], edges[edges.len() - 1].min(self.floors.raw));
            for minute in self.dirty.iter().filter(|m| first <= **m && **m < last) {
                let span = Span::new(*minute, minute.plus(Millis::MINUTE));
                add(&mut parts, Resolution::Raw, span);
            }
        }
        parts
    }

    fn cover_span(&self, tier: Resolution, span: Span, parts: &mut Vec<Part>) {
        if span.is_empty() {
            return;
        }
        let Some(finer) = tier.finer() else {
            return add(parts, tier, span);
        };
        let step = tier.step_ms();
        let whole = Span::new(span.from.ceil(step), span.until.floor(step));
        if whole.is_empty() {
            return self.cover_span(finer, span, parts);
        }
        self.cover_span(finer, Span::new(span.from, whole.from), parts);
        let mut at = whole.from;
        while at < whole.until {
            let bucket = Span::new(at, at.plus(step));
            if self.answers(tier, bucket) {
                add(parts, tier, bucket);
            } else {
                self.cover_span(finer, bucket, parts);
            }
            at = bucket.until;
        }
        self.cover_span(finer, Span::new(whole.until, span.until), parts);
    }

    /// Whether a bucket is kept and up to date. Below the floor of raw events it is
    /// what it is: events that came later are added from raw.
    fn answers(&self, tier: Resolution, bucket: Span) -> bool {
        if bucket.from < self.floors.of(tier) {
            return false;
        }
        let first = self
            .dirty
            .partition_point(|minute| *minute < bucket.from.max(self.floors.raw));
        self.dirty
            .get(first)
            .is_none_or(|minute| *minute >= bucket.until)
    }
}

/// Adds a part, joined with the one before when they touch.
fn add(parts: &mut Vec<Part>, tier: Resolution, span: Span) {
    match parts.last_mut() {
        Some(last) if last.tier == tier && last.span.until == span.from => {
            last.span.until = span.until
        }
        Some(_) | None => parts.push(Part { tier, span }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Floors = Floors {
        raw: Millis(i64::MIN),
        minute: Millis(i64::MIN),
        hour: Millis(i64::MIN),
        day: Millis(i64::MIN),
    };

    fn at(day: i64, hour: i64, minute: i64) -> Millis {
        Millis(day * Millis::DAY + hour * Millis::HOUR + minute * Millis::MINUTE)
    }

    fn told(parts: &[Part]) -> Vec<(&'static str, i64, i64)> {
        parts
            .iter()
            .map(|p| {
                (
                    p.tier.name(),
                    p.span.from.0 / Millis::MINUTE,
                    p.span.until.0 / Millis::MINUTE,
                )
            })
            .collect()
    }

    #[test]
    fn whole_days_come_from_days_and_the_rest_from_finer_tiers() {
        let terrain = Terrain {
            floors: NEVER,
            dirty: &[],
            coarsest: Resolution::Day,
        };
        let parts = terrain.cover(&[at(0, 22, 58).plus(30_000), at(2, 1, 1)]);
        assert_eq!(
            told(&parts),
            [
                ("raw", 1378, 1379),
                ("1min", 1379, 1380),
                ("1hour", 1380, 1440),
                ("1day", 1440, 2880),
                ("1hour", 2880, 2940),
                ("1min", 2940, 2941)
            ]
        );
    }

    #[test]
    fn a_dirty_minute_is_read_from_raw_and_its_neighbours_are_not() {
        let dirty = [at(1, 5, 7)];
        let terrain = Terrain {
            floors: NEVER,
            dirty: &dirty,
            coarsest: Resolution::Day,
        };
        let parts = terrain.cover(&[at(0, 0, 0), at(2, 0, 0)]);
        let d = 1440;
        assert_eq!(
            told(&parts),
            [
                ("1day", 0, d),
                ("1hour", d, d + 300),
                ("1min", d + 300, d + 307),
                ("raw", d + 307, d + 308),
                ("1min", d + 308, d + 360),
                ("1hour", d + 360, 2 * d)
            ]
        );
    }

    #[test]
    fn events_from_before_the_floor_are_added_to_the_buckets_that_do_not_know_them() {
        let dirty = [at(0, 3, 0)];
        let floors = Floors {
            raw: at(1, 0, 0),
            ..NEVER
        };
        let terrain = Terrain {
            floors,
            dirty: &dirty,
            coarsest: Resolution::Day,
        };
        let parts = terrain.cover(&[at(0, 0, 0), at(2, 0, 0)]);
        assert_eq!(told(&parts), [("1day", 0, 2880), ("raw", 180, 181)]);
    }

    #[test]
    fn a_bucket_that_an_edge_cuts_is_not_used() {
        let terrain = Terrain {
            floors: NEVER,
            dirty: &[],
            coarsest: Resolution::Day,
        };
        let parts = terrain.cover(&[at(0, 0, 0), at(0, 18, 15), at(1, 0, 0)]);
        assert_eq!(
            told(&parts),
            [
                ("1hour", 0, 1080),
                ("1min", 1080, 1140),
                ("1hour", 1140, 1440)
            ]
        );
    }
}
