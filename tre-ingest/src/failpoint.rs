//! Points of this crate at which tests end the process, see [`tre_home::failpoint`].

use tre_home::failpoint::Step;

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: Step =
                Step { before: concat!($text, ".before"), after: concat!($text, ".after") };
        )*

        /// Every point of this crate.
        pub static FAILPOINTS: &[&str] = &[$(concat!($text, ".before"), concat!($text, ".after")),*];
    };
}

steps! {
    /// The Parquet files are written in staging.
    FILES = "ingest.files";
    /// The rejects file is.
    REJECTS_FILE = "ingest.rejects";
    /// The audit log has its entry.
    AUDIT = "ingest.audit";
    /// New numbers are in force.
    REGISTRY = "ingest.registry";
    /// The version has its name.
    PUBLISH = "ingest.publish";
}
