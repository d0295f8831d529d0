//! The faults that a provider can have.

/// What is wrong with a provider.
pub(crate) struct Fault;

/// Numbers the faults.
macro_rules! faults {
    ($($name:ident = $number:literal)*) => {
        impl Fault {
            $(pub(crate) const $name: u32 = $number;)*
        }
    };
}

faults! {
    NONE = 0
    NAME = 1
    NOT_OFFLINE = 2
    UNKNOWN_ACCEPTED = 3
    WRONG_PATH = 4
    SETTING_QUOTED = 5
    STRICT_NAMES = 6
    ANY_NAME = 7
    ANY_VERSION = 8
    EMPTY_IS_ABSENT = 9
    SKIPPED_EMPTY_IS_ABSENT = 10
    TRIMMED = 11
    ENDS_AT_NUL = 12
    LOSSY = 13
    SHORT = 14
    ABSENT_IS_OTHER = 15
    NO_CAUSE = 16
    NO_STORE_IS_EMPTY = 17
    OUT_OF_ORDER = 18
    ALL_OR_NOTHING = 19
    ONCE = 20
    STUCK_WHEN_DROPPED = 21
    SHOWN_BY_ERROR = 23
    SHOWN_BY_WARNING = 24
    SKIPS_NO_RULE = 25
    NO_HOOKS = 26
    FLOODS = 27
    NEVER_ASKS = 28
    THROTTLED_IS_OTHER = 29
    HANG_IS_OTHER = 30
    BLOCKS = 31
    SHOWN_BY_TRACE = 32
    SHOWN_BY_FOREIGN_ERROR = 33
    SHOWN_BY_PANIC = 34
    SHARED_STATE = 35
    STUCK_WHEN_DROPPED_LATE = 36
    CANNOT_LIST = 37
    LISTS_ALL = 38
    LISTS_A_PAGE = 39
    LISTS_TWICE = 40
    LISTS_NO_STORE = 41
    LISTING_IS_OTHER = 42
    NOTHING_TO_LIST_IS_AN_ERROR = 43
    SHOWN_BY_LISTING = 44
    PREFIX_NOT_OFFLINE = 45
    REFUSES_WHAT_IT_LISTS = 46
    REFUSED_IS_OTHER = 47
    REFUSES_TWO_WAYS = 48
    NO_STORE_IS_NOT_FOUND = 49
    NO_LISTING_IS_NOT_FOUND = 50
    KEEPS_VALUES = 51
    KEEPS_DESCRIPTORS = 52
    CACHES = 53
    REMEMBERS_ABSENCE = 54
    ANSWERS_AT_THE_END = 55
    MIXES_UP = 56
    ALL_ARE_MADE = 57
    NOTHING_IS_MADE = 58
    STORED_IS_LEASED = 59
    ENDED_BEFORE = 60
    RENEWED_TOO_LATE = 61
    KEEPS_ANOTHER = 62
    KEEPS_WHAT_ENDED = 63
    REPLACES_BY_THE_SAME = 64
    RELEASES_ONCE = 65
    CLOSED_FOR_GOOD = 66
}
