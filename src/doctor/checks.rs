//! The checks: each a pure judgement of the facts, and a line in the list.

use super::{Check, Facts, FileFact, Finding, Fix};
use crate::model::{Millis, Resolution};
use crate::render::human;
use crate::store::Vitals;

/// Every check, in the order in which it is told. One more is a function and a line here.
pub const CHECKS: &[Check] = &[
    ("store", store),
    ("configuration", configuration),
    ("channels", channels),
    ("settings", settings),
    ("durability", durability),
    ("journal", journal),
    ("filesystem", filesystem),
    ("permissions", permissions),
    ("cron", cron),
    ("rollup", roll_up),
    ("clock", clock),
    ("dead letters", dead_letters),
    ("prices", prices),
    ("log", log),
    ("free pages", free_pages),
    ("disk", disk),
    ("retention", retention),
    ("leftovers", leftovers),
];

/// What a raw event and its aggregates take, 69 bytes of it before a roll-up
/// (benches/RESULTS.md); 90 in the store of ten million events of a week.
const BYTES_AN_EVENT: u64 = 90;
const MIB: u64 = 1 << 20;
/// The log is cut back to 64 MiB; more means that it cannot be.
const LOG_AT_MOST: u64 = 128 * MIB;
/// Less free space than this is not worth a remark.
const WORTH_GIVING_BACK: u64 = 64 * MIB;
/// Cron runs every minute; this is patience for a slow one.
const LATE: i64 = 10 * Millis::MINUTE;
/// Clocks of machines differ a little.
const AHEAD: i64 = 5 * Millis::MINUTE;

/// The kinds of file systems on which processes do not see each other's memory.
const OVER_THE_NETWORK: [&str; 11] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "fuse.sshfs",
    "fuse.glusterfs",
];

fn of_store(facts: &Facts, judge: impl Fn(&Vitals) -> Finding) -> Vec<Finding> {
    facts.store.iter().map(judge).collect()
}

fn store(facts: &Facts) -> Vec<Finding> {
    vec![match &facts.store {
        Ok(vitals) => Finding::ok(format!(
            "schema {}, {}; `obs db check` reads every page",
            vitals.file.schema,
            human::bytes(vitals.file.pages * vitals.file.page_size)
        )),
        Err(why) => Finding::critical(
            why,
            "nothing can be recorded or asked",
            "obs db check, or put a copy back: obs restore FILE",
        ),
    }]
}

fn configuration(facts: &Facts) -> Vec<Finding> {
    if facts.config_problems.is_empty() {
        return vec![Finding::ok("every file and variable can be read")];
    }
    let found =
        |problem: &String| Finding::critical(problem, "commands refuse to run", "obs config check");
    facts.config_problems.iter().map(found).collect()
}

fn channels(facts: &Facts) -> Vec<Finding> {
    let broken = |problem: &String| {
        Finding::warning(
            problem,
            "alerts are not told through it",
            "obs config check",
        )
    };
    let mut found: Vec<Finding> = facts.channel_problems.iter().map(broken).collect();
    if let Some((many, why)) = &facts.given_up {
        found.push(Finding::warning(
            format!("{many} notices of the last 7 days were given up; the last: {why}"),
            "nobody heard of these alerts",
            "obs notify list --state failed, then obs notify retry",
        ));
    }
    match found.is_empty() {
        true => vec![Finding::ok(
            "every channel can be used, and no notice was given up",
        )],
        false => found,
    }
}

fn settings(facts: &Facts) -> Vec<Finding> {
    match (&facts.store, &facts.retention) {
        (Ok(_), Err(why)) => vec![Finding::critical(
            why,
            "what the store is set to decides what is kept and counted",
            "obs retention set TIER AGE",
        )],
        (Ok(_), Ok(_)) => vec![Finding::ok("the settings of the store can be read")],
        (Err(_), _) => Vec::new(),
    }
}

fn durability(facts: &Facts) -> Vec<Finding> {
    vec![Finding::ok(match facts.durability_normal {
        true => "normal: a power cut may take the last commits",
        false => "full: what was acknowledged survives a power cut",
    })]
}

fn journal(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| match vitals.file.journal_mode.as_str() {
        "wal" => Finding::ok("readers and the writer do not wait for each other"),
        mode => Finding::warning(
            format!("the file is in {mode} mode"),
            "readers and the writer wait for each other",
            "stop what has the store open; the next command switches it",
        ),
    })
}

fn filesystem(facts: &Facts) -> Vec<Finding> {
    let judge = |kind: &String| match OVER_THE_NETWORK.contains(&kind.as_str()) {
        true => Finding::critical(
            format!("the store lies on {kind}"),
            "its log needs memory that processes share, which a network has not: it can be damaged",
            "move the store to a local disk: obs backup FILE, then --db or OBS_DB",
        ),
        false => Finding::ok(format!("{kind}, a local file system")),
    };
    facts.place.filesystem.iter().map(judge).collect()
}

fn permissions(facts: &Facts) -> Vec<Finding> {
    let mode = |file: &FileFact| file.mode.unwrap_or(0);
    let mut found = Vec::new();
    for file in facts.place.files.iter().filter(|f| mode(f) & 0o007 != 0) {
        found.push(
            Finding::warning(
                format!(
                    "{} is open to everybody ({:o})",
                    file.path.display(),
                    mode(file)
                ),
                "prompts, users and costs are nobody else's affair",
                format!("chmod 600 {}", file.path.display()),
            )
            .fixed_by(Fix::MakePrivate(file.path.clone())),
        );
    }
    for file in facts
        .place
        .config_files
        .iter()
        .filter(|f| mode(f) & 0o002 != 0)
    {
        found.push(Finding::warning(
            format!("everybody may write {}", file.path.display()),
            "who writes it decides where events go",
            format!("chmod o-w {}", file.path.display()),
        ));
    }
    // Where the sticky bit is set, nobody can replace what is another's.
    let open = |folder: &&FileFact| mode(folder) & 0o1002 == 0o0002;
    if let Some(folder) = facts.place.folder.as_ref().filter(open) {
        found.push(Finding::warning(
            format!("everybody may write into {}", folder.path.display()),
            "whoever does can put another store in the place of this one",
            format!("chmod o-w {}", folder.path.display()),
        ));
    }
    if found.is_empty() && !facts.place.files.is_empty() {
        found.push(Finding::ok("the files are their owner's"));
    }
    found
}

fn cron(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| {
        let why = "answers get slower, nothing is let go, and no alert fires";
        let remedy = "put `* * * * * obs run` into crontab";
        match (vitals.last_run, vitals.birth) {
            (Some(at), _) if facts.now.0 - at.0 <= LATE => {
                Finding::ok(format!("`obs run` was done {}", human::ago(at, facts.now)))
            }
            (Some(at), _) => {
                let what = format!("`obs run` was last done {}", human::ago(at, facts.now));
                match facts.now.0 - at.0 > Millis::DAY {
                    true => Finding::critical(what, why, remedy),
                    false => Finding::warning(what, why, remedy),
                }
            }
            (None, Some(birth)) if facts.now.0 - birth.0 <= LATE => {
                Finding::ok("the store is new; `obs run` was not done yet")
            }
            (None, _) => Finding::warning("`obs run` was never done", why, remedy),
        }
    })
}

fn roll_up(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| {
        let minutes = human::count(vitals.waiting_minutes);
        match vitals.waiting_since {
            Some(since) if facts.now.0 - since.0 > LATE => Finding::warning(
                format!(
                    "{minutes} minutes wait, the first {}",
                    human::ago(since, facts.now)
                ),
                "answers read raw events instead, which is slower, and raw events are kept longer",
                "obs rollup",
            )
            .fixed_by(Fix::RollUp),
            _ => Finding::ok(format!("{minutes} minutes wait for a roll-up")),
        }
    })
}

fn clock(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| {
        let noted = [vitals.last_batch, vitals.last_run, vitals.birth];
        let later = noted.into_iter().flatten().max();
        let why = "times before and after a jump cannot be told apart";
        match (later, vitals.last_event) {
            (Some(at), _) if at.0 - facts.now.0 > AHEAD => Finding::critical(
                format!("the store was used at {at}, which is still to come"),
                why,
                "set the clock of this machine, or look whether another one writes here",
            ),
            (_, Some(at)) if at.0 - facts.now.0 > AHEAD => Finding::warning(
                format!("the last event is of {at}, which is still to come"),
                why,
                "set the clock of the machine that sends events",
            ),
            _ => Finding::ok("nothing in the store is still to come"),
        }
    })
}

fn dead_letters(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| {
        let letters = &vitals.letters;
        let Some(newest) = letters.newest.filter(|_| letters.count > 0) else {
            return Finding::ok("no line was refused during the last day");
        };
        let what = format!(
            "{} of {} lines were refused during the last day, most for {}, the last {}",
            human::count(letters.count),
            human::count(vitals.traffic.lines.max(letters.count)),
            letters.main_reason.as_deref().unwrap_or("no reason"),
            human::ago(newest, facts.now)
        );
        // One line of a hundred is a sender that is wrong, not an accident.
        match letters.count * 100 >= vitals.traffic.lines {
            true => Finding::warning(
                what,
                "what they say is in no answer",
                "look at them with `obs ingest FILE --dry-run`, and mend the sender",
            ),
            false => Finding::ok(what),
        }
    })
}

fn prices(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| {
        let missing: u64 = vitals.unpriced.iter().map(|model| model.requests).sum();
        if missing * 100 <= vitals.week_requests {
            return Finding::ok("at most one request of a hundred has no cost");
        }
        let names = vitals.unpriced.iter().map(|model| {
            let name = model.model.as_deref().unwrap_or("no model");
            format!("{name} ({})", human::count(model.requests))
        });
        Finding::warning(
            format!(
                "requests without a cost: {}",
                names.collect::<Vec<_>>().join(", ")
            ),
            "what they cost is in no bill and no budget",
            "send the cost with the event: cost, or --map cost=FIELD",
        )
    })
}

fn log(facts: &Facts) -> Vec<Finding> {
    let bytes = facts.place.wal_bytes;
    of_store(facts, |_| match bytes > LOG_AT_MOST {
        true => Finding::warning(
            format!("the log has {}", human::bytes(bytes)),
            "reads get slower and the disk fills; a reader may have been open for long",
            "end what reads for long, then: obs doctor --fix",
        )
        .fixed_by(Fix::Checkpoint),
        false => Finding::ok(human::bytes(bytes)),
    })
}

fn free_pages(facts: &Facts) -> Vec<Finding> {
    of_store(facts, |vitals| {
        let file = &vitals.file;
        let free = file.free_pages * file.page_size;
        if !file.can_shrink {
            return Finding::warning(
                "the file cannot give free pages back",
                "it never gets smaller, whatever is let go",
                "obs db vacuum --full",
            );
        }
        match file.free_pages * 4 > file.pages && free > WORTH_GIVING_BACK {
            true => Finding::warning(
                format!("{} of the file hold nothing", human::bytes(free)),
                "the disk has less room than it could",
                "obs db vacuum",
            )
            .fixed_by(Fix::GiveBack),
            false => Finding::ok(format!("{} of the file hold nothing", human::bytes(free))),
        }
    })
}

fn disk(facts: &Facts) -> Vec<Finding> {
    let Some(free) = facts.place.disk_free_bytes else {
        return Vec::new();
    };
    of_store(facts, |vitals| {
        let a_day = vitals.traffic.accepted * BYTES_AN_EVENT;
        let what = format!(
            "{} free; about {} came in during the last day",
            human::bytes(free),
            human::bytes(a_day)
        );
        let why = "when the disk is full, nothing more is recorded";
        let remedy = "make room, or keep less: obs retention set raw 3d";
        if free < (64 * MIB).max(a_day) {
            Finding::critical(what, why, remedy)
        } else if free < (512 * MIB).max(7 * a_day) && needs(facts, vitals) > free {
            Finding::warning(what, why, remedy)
        } else {
            Finding::ok(what)
        }
    })
}

/// Bytes that the store will still grow by when it comes in like today: until the first
/// event of today is let go, or in ninety days when nothing is.
fn needs(facts: &Facts, vitals: &Vitals) -> u64 {
    let kept = facts
        .retention
        .as_ref()
        .ok()
        .and_then(|r| r.of(Resolution::Raw));
    let days = kept.map_or(90, |ms| (ms / Millis::DAY).max(1) as u64);
    let full = vitals
        .traffic
        .accepted
        .saturating_mul(BYTES_AN_EVENT)
        .saturating_mul(days);
    let file = &vitals.file;
    full.saturating_sub((file.pages - file.free_pages) * file.page_size)
}

fn retention(facts: &Facts) -> Vec<Finding> {
    let Some(free) = facts.place.disk_free_bytes else {
        return Vec::new();
    };
    of_store(facts, |vitals| {
        let needs = needs(facts, vitals);
        match needs > free {
            true => Finding::warning(
                format!(
                    "raw events will need {} more, {} are free",
                    human::bytes(needs),
                    human::bytes(free)
                ),
                "the disk is full before the first event is let go",
                "obs retention set raw 3d",
            ),
            false => Finding::ok("what is kept fits on the disk"),
        }
    })
}

fn leftovers(facts: &Facts) -> Vec<Finding> {
    let found = |path: &std::path::PathBuf| {
        Finding::warning(
            format!("{} is a copy that was never finished", path.display()),
            "it takes room",
            format!("rm {}", path.display()),
        )
        .fixed_by(Fix::Remove(path.clone()))
    };
    facts.place.leftovers.iter().map(found).collect()
}
