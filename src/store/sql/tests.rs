//! What the connection for statements lets through.

use super::*;

#[test]
fn columns_of_one_name_are_told_apart() {
    let names = |list: &str| unique(list.split(',').map(str::to_owned).collect()).join(",");
    assert_eq!(names("a,a,b,a"), "a,a_2,b,a_3");
    assert_eq!(names("a,a,a_2"), "a,a_3,a_2");
}
