//! A configuration file: it is understood or refused with a reason.

#![no_main]

use std::fs;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use obs::config::{Config, Key, Origin, Places, Variables};

fuzz_target!(|text: &str| {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("obs-fuzz-{}.toml", std::process::id()));
    let nowhere = PathBuf::from("/nowhere/obs.toml");
    let places = Places {
        project: file.clone(),
        system: nowhere,
        ..Places::usual(&Variables::of(&[]))
    };
    fs::write(&file, text).expect("the folder can be written");
    if let Err(refused) = Config::load(&Variables::of(&[]), &places, None) {
        assert!(!refused.to_string().is_empty());
    }
    let mut config = Config::built_in(&places);
    for key in Key::ALL {
        let _ = config.set(key, text, Origin::BuiltIn);
    }
});
