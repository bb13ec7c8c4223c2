//! The written form of a sketch: what is read is written as the same bytes, and
//! merging has no order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use obs::model::Sketch;

fn bytes(sketch: &Sketch) -> Vec<u8> {
    let mut bytes = Vec::new();
    sketch.write(&mut bytes);
    bytes
}

fuzz_target!(|blobs: &[u8]| {
    // The first byte says how long the first of the two is.
    let Some((length, blobs)) = blobs.split_first() else {
        return;
    };
    let (first, second) = blobs.split_at(usize::from(*length).min(blobs.len()));
    let (Ok(a), Ok(b)) = (Sketch::from_bytes(first), Sketch::from_bytes(second)) else {
        return;
    };
    assert_eq!(bytes(&a), first, "one form only");
    let (mut ab, mut ba) = (a.clone(), b.clone());
    ab.merge(&b);
    ba.merge(&a);
    assert_eq!(bytes(&ab), bytes(&ba));
    let mut merged = a.clone();
    merged.merge_bytes(second).expect("it was read before");
    assert_eq!(bytes(&merged), bytes(&ab));
    for q in [0.0, 0.5, 0.95, 1.0] {
        assert_eq!(ab.quantile(q).is_some(), ab.count() > 0);
    }
});
