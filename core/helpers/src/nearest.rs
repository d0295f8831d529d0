//! "Did you mean …?"

/// Returns the known word that a misspelt one most likely stands for, if one is near enough to suggest.
///
/// Near is a Damerau-Levenshtein distance of at most a third of the word's length, rounded up.
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
