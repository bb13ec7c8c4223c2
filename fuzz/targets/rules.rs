//! Files of rules: what is understood is printed in a form that reads back to the same,
//! and a fault lies inside the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use obs::rulebook::{parse, print};

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(rules) => assert_eq!(parse(&print(&rules)).as_ref(), Ok(&rules)),
        Err(faults) => assert!(faults.0.iter().all(|fault| fault.mark.line >= 1)),
    }
});
