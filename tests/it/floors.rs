//! The floors of the house: which module may use which.
//!
//! The table is read from `docs/architecture.md`, so that the page that people
//! read is the one that is checked. It does not know what a module does use
//! (`uses.rs` does).

/// A module and those it may use.
pub struct Floor {
    pub number: u8,
    pub module: String,
    pub uses: Vec<String>,
}

/// All modules, in the order of the table.
pub struct House(Vec<Floor>);

const EVERY_FLOOR_BELOW: &str = "every floor below";

/// Reads the rows `| floor | module | what it is | uses |` of a page.
pub fn house(page: &str) -> House {
    let mut floors: Vec<Floor> = Vec::new();
    for row in page.lines() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, module, _, uses] = cells[..] else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        let uses = if uses == EVERY_FLOOR_BELOW {
            let below = floors.iter().filter(|f| f.number < number);
            below.map(|f| f.module.clone()).collect()
        } else {
            names(uses)
        };
        let module = names(module).remove(0);
        floors.push(Floor {
            number,
            module,
            uses,
        });
    }
    House(floors)
}

/// What stands between backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

impl House {
    /// The place of a module.
    pub fn floor(&self, module: &str) -> Option<&Floor> {
        self.0.iter().find(|floor| floor.module == module)
    }

    /// Whether a module on `floor` may name `name` at the crate's root, which may be an item there.
    pub fn allows(&self, floor: &Floor, name: &str) -> bool {
        let is_item = self.floor(name).is_none() && name != "*";
        is_item || floor.module == name || floor.uses.iter().any(|m| m == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "
| floor | module | what it is | uses |
|---|---|---|---|
| 0 | `model` | the words: `Millis`, `Event` | nothing |
| 1 | `input` | bytes to events | `model` |
| 1 | *`notify`* | to come | `model` |
| 2 | `store` | SQL | `model` |
| 5 | `cycle` | what cron does | every floor below |
| 5 | `serve` | HTTP | every floor below |
";

    #[test]
    fn a_module_may_use_what_its_row_says_and_no_more() {
        let house = house(PAGE);
        let allowed = |user, used| house.allows(house.floor(user).unwrap(), used);
        assert!(
            allowed("input", "model") && allowed("cycle", "notify") && allowed("model", "model")
        );
        assert!(!allowed("model", "input") && !allowed("store", "input"));
        assert!(!allowed("serve", "cycle") && !allowed("input", "*"));
        assert!(
            allowed("input", "VERSION"),
            "an item of the root is no module"
        );
    }

    #[test]
    fn the_page_has_a_table_that_stands() {
        let house = house(include_str!("../../docs/architecture.md"));
        let number_of = |module| house.floor(module).map(|f| f.number);
        assert!(house.0.len() >= 24, "only {} modules", house.0.len());
        assert!(house.0.is_sorted_by_key(|f| f.number));
        for Floor {
            number,
            module,
            uses,
        } in &house.0
        {
            for used in uses {
                let below = number_of(used).is_some_and(|n| n < *number);
                assert!(below, "`{module}` cannot rest on `{used}`");
            }
        }
    }
}
