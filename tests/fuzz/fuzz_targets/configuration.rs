//! A configuration: whatever it says, it is a plan, or every mistake is told.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use secretdir_engine::Config;
use secretdir_fuzz::registry;

fuzz_target!(|text: &str| {
    let file = Path::new("/nonexistent/secretdir.toml");
    let read = || Config::parse(text, file);
    let Ok(config) = read() else { return };
    let profiles: Vec<_> = config.profiles().map(str::to_owned).collect();
    check(config);
    // Each is one more plan: a few of them show what all would.
    for profile in profiles.iter().take(3) {
        let config = read().expect("it was read before");
        check(config.with_profile(profile).expect("it has such a profile"));
    }
});

fn check(config: Config) {
    match config.resolve(&registry()) {
        Ok(plan) => assert!(plan.link().starts_with("/")),
        Err(error) => {
            assert!(!error.problems().is_empty());
            for problem in error.problems() {
                assert!(!problem.to_string().contains(char::is_control));
            }
        }
    }
}
