//! What a daemon tells systemd: the other end of its socket is the judge.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{PATIENCE, Site};
use crate::watch::{Watch, site};

fn manager(site: &Site) -> UnixDatagram {
    let socket = UnixDatagram::bind(site.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn told(manager: &UnixDatagram, words: &str) -> String {
    let mut heard = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).unwrap_or_else(|_| panic!("no {words:?} in {heard:#?}"));
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.contains(words) {
            return text;
        }
        heard.push(text);
    }
}

#[test]
fn the_service_manager_is_told_of_readiness_reloads_and_the_end() {
    let site = site("1h", "wake = false");
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    let manager = manager(&site);
    let mut command = site.command(&["watch"]);
    command.env("NOTIFY_SOCKET", site.path().join("notify")).env("WATCHDOG_USEC", "200000");
    let watch = Watch::of(&mut command);
    assert!(told(&manager, "STATUS=").contains("nothing is published yet"));
    told(&manager, "WATCHDOG=1");
    fs::rename(site.path().join("gone"), site.path().join("source")).unwrap();
    watch.signal(Signal::USR1);
    told(&manager, "READY=1");
    told(&manager, "STATUS=generation ");
    watch.signal(Signal::HUP);
    assert!(told(&manager, "RELOADING=1").contains("MONOTONIC_USEC="));
    told(&manager, "READY=1");
    watch.stop();
    told(&manager, "STOPPING=1");

    // With a set of before, it is ready though the store is down.
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    let mut command = site.command(&["watch"]);
    command.env("NOTIFY_SOCKET", site.path().join("notify"));
    let watch = Watch::of(&mut command);
    told(&manager, "READY=1");
    watch.signal(Signal::USR1);
    told(&manager, "STATUS=generation ");
    watch.stop();
}

#[test]
fn it_is_ready_and_alive_while_the_command_runs_and_whatever_wakes_it() {
    let site = site("1h", "[on-change]\ncommand = [\"sleep\", \"600\"]\ntimeout = \"20m\"");
    let manager = manager(&site);
    let mut command = site.command(&["watch"]);
    command.env("NOTIFY_SOCKET", site.path().join("notify")).env("WATCHDOG_USEC", "1000000");
    let watch = Watch::of(&mut command);
    told(&manager, "READY=1");
    manager.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut pings = 0;
    while pings < 3 {
        assert!(Instant::now() < deadline, "{pings} pings");
        watch.signal(Signal::USR1);
        let mut buffer = [0; 4096];
        let is_ping = manager.recv(&mut buffer).is_ok() && buffer.starts_with(b"WATCHDOG=1");
        pings += usize::from(is_ping);
    }
    watch.stop();
}

#[test]
fn a_manager_that_does_not_listen_stops_nothing() {
    let site = site("1s", "wake = false");
    let _manager = manager(&site);
    let mut command = site.command(&["watch"]);
    // Half of zero is no pause: zero turns the watchdog off.
    command.env("NOTIFY_SOCKET", site.path().join("notify")).env("WATCHDOG_USEC", "0");
    let mut watch = Watch::of(&mut command);
    watch.hear("published 1 file");
    let room = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    for turn in 0..room.trim().parse::<usize>().unwrap() + 5 {
        site.secret("a", turn.to_string());
        watch.signal(Signal::USR1);
        watch.hear("published 1 file");
    }
    watch.stop();
}
