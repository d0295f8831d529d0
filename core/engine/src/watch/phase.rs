//! The phase of a host: its fixed moment within the interval, which spreads the hosts of a fleet.

use std::path::Path;
use std::time::Duration;

/// Returns the phase of a host and a link: at least zero, and less than the splay.
///
/// It must be the same in every version of this program and its libraries, so its hash is fixed. The hash is 64-bit FNV-1a
/// (Fowler, Noll, Vo; offset basis and prime as in RFC 9923). FNV alone leaves the high bits of short texts similar. So the
/// finaliser of `splitmix64` (Steele, Lea, Flood 2014) mixes them.
pub(crate) fn phase(host: &str, link: &Path, splay: Duration) -> Duration {
    let link = link.as_os_str().as_encoded_bytes();
    let bytes = host.bytes().chain([0]).chain(link.iter().copied());
    let hash = mixed(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    }));
    let scaled = (u128::from(hash) * splay.as_nanos()) >> 64;
    u64::try_from(scaled).map_or(Duration::ZERO, Duration::from_nanos)
}

fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_its_phase_and_shares_it_with_few() {
        let splay = Duration::from_secs(300);
        let phase = |host: u32| phase(&format!("host-{host}"), Path::new("/run/secretdir/app"), splay);
        assert_eq!(phase(1), phase(1));
        let mut seconds = [0_u32; 300];
        (0..10_000).for_each(|host| seconds[usize::try_from(phase(host).as_secs()).unwrap()] += 1);
        // The average is a hundred in three seconds.
        let busiest = seconds.chunks(3).map(|three| three.iter().sum::<u32>()).max().unwrap();
        assert!(busiest <= 150, "{busiest}");
        let other = super::phase("host-1", Path::new("/run/secretdir/b"), splay);
        assert_ne!(other, phase(1));
        assert_eq!(super::phase("h", Path::new("x"), Duration::ZERO), Duration::ZERO);
        // This value must never change.
        assert_eq!(phase(1), Duration::from_nanos(PHASE_OF_HOST_1));
    }

    const PHASE_OF_HOST_1: u64 = 174_926_778_582;
}
