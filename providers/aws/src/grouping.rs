//! Groups requests so that the answers in one call cannot be confused.
//!
//! An entry of an answer identifies its secret by name or ARN, and entries come in any order. Different requests may
//! share such an identifier. Examples are `app/db` and the ARN of another account's secret `app/db`, or `app-AbCdEf`
//! and the full ARN of `app`. Such requests go into different calls, so each answer fits one request only.

use std::collections::BTreeMap;

/// The names that decide which requests can share a call.
pub(crate) struct ConflictKey<'a> {
    /// The request with its version. Two equal requests do not conflict.
    pub(crate) asked: (&'a str, Option<&'a str>),
    /// The names that an answer to it can have.
    pub(crate) names: Vec<&'a str>,
}

/// Groups requests so that no group has two different requests with a common name. A request without a likeness fits
/// every group.
pub(crate) fn group<'a>(
    mut open: Vec<usize>,
    likeness: impl Fn(usize) -> Option<ConflictKey<'a>>,
) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    while !open.is_empty() {
        let mut taken = BTreeMap::new();
        let (group, others) = open.into_iter().partition(|place| {
            let Some(ConflictKey { asked, names }) = likeness(*place) else { return true };
            let fits = names.iter().all(|name| taken.get(name).is_none_or(|owner| *owner == asked));
            if fits {
                taken.extend(names.into_iter().map(|name| (name, asked)));
            }
            fits
        });
        groups.push(group);
        open = others;
    }
    groups
}

/// Returns the owner in an ARN, which is its beginning: partition, service, region and account.
pub(crate) fn owner(arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:")?;
    let colon = rest.match_indices(':').nth(3)?.0;
    arn.get(.."arn:".len() + colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_name_in_common_is_kept_apart_and_what_is_the_same_is_not() {
        let requests = [("a", vec!["a"]), ("b", vec!["b", "a"]), ("c", vec!["c"]), ("a", vec!["a"])];
        let likeness = |place: usize| {
            let (asked, names) = requests.get(place)?;
            Some(ConflictKey { asked: (asked, None), names: names.clone() })
        };
        assert_eq!(group(vec![0, 1, 2, 3, 4], likeness), [vec![0, 2, 3, 4], vec![1]]);
        assert!(group(Vec::new(), likeness).is_empty());
    }

    #[test]
    fn an_arn_has_an_owner_and_a_name_has_none() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db";
        assert_eq!(owner(arn), Some("arn:aws:secretsmanager:eu-west-1:123456789012"));
        assert_eq!((owner("app/db"), owner("arn:aws:ssm")), (None, None));
    }
}
