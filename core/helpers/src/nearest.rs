//! "Did you mean …?"

/// Returns the known word that is nearest to a misspelt one, if it is near enough to suggest.
///
/// A word is near if its Damerau-Levenshtein distance is at most a third of the misspelt word's length, rounded up.
///
/// ```
/// assert_eq!(secretdir_helpers::nearest("regoin", ["profile", "region"]), Some("region"));
/// assert_eq!(secretdir_helpers::nearest("token", ["profile", "region"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = word.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}
