//! Expressions and conditions: what is understood is printed in a form that reads
//! back to the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use obs::model::{Condition, Expr};

fuzz_target!(|text: &str| {
    if let Ok(expr) = Expr::parse(text) {
        assert_eq!(Expr::parse(&expr.to_string()).as_ref(), Ok(&expr));
    }
    if let Ok(condition) = Condition::parse(text) {
        assert_eq!(
            Condition::parse(&condition.to_string()).as_ref(),
            Ok(&condition)
        );
    }
});
