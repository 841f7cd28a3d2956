//! The kinds of processes, and what each says.

use std::fmt;

use stage::StageName;
use wire::Stream;

/// A kind of process, which has a login of its own at the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProcessKind {
    /// The ingress, `millrace api`.
    Api,
    /// A stage, with its sources.
    Stage(StageName),
    /// The simulator, which sets business time.
    Sandbox,
    /// `millrace streams`, which declares them.
    Streams,
    /// `millrace dead`, and `keys rotate`, which seals dead letters anew.
    Dead,
    /// `millrace top`, which reads how far consumers are.
    Top,
    /// `millrace doctor`, which tries what each may do.
    Doctor,
    /// An operator, who may do everything: for whatever has no login of its own.
    Operator,
}

use ProcessKind::{Api, Stage};
use StageName::{
    Audience, Enrich, Gate, Inbound, Reconcile, Reply, Rollup, Schedule, Send, Throttle,
};

/// What is said, and who says it, beside dead letters, which every stage writes that reads. The
/// rows are those of `subjects.md`, and a test compares the two.
pub const SAID: &[(Stream, &str, &[ProcessKind])] = &[
    (
        Stream::Submitted,
        "msg.submitted.*",
        &[Api, Stage(Audience), Stage(Inbound), Stage(Reply), Stage(Schedule)],
    ),
    (Stream::Enriched, "msg.enriched.*", &[Stage(Enrich), Stage(Schedule)]),
    (Stream::Admitted, "msg.admitted.*.*", &[Stage(Gate)]),
    (Stream::Released, "msg.released.*.*", &[Stage(Throttle)]),
    (Stream::Carrier, "carrier.*.*.status", &[Api]),
    (Stream::Texts, "carrier.*.*.inbound", &[Api]),
    (Stream::Texts, "carrier.*.*.mixed", &[Api]),
    (Stream::Inbound, "inbound.*", &[Stage(Inbound)]),
    (
        Stream::Events,
        "events.*.*.*",
        &[
            Api,
            Stage(Audience),
            Stage(Enrich),
            Stage(Gate),
            Stage(Send),
            Stage(Reconcile),
            Stage(Inbound),
            Stage(Rollup),
        ],
    ),
    (Stream::Analytics, "analytics.*.dashboard", &[Stage(Rollup)]),
    (Stream::Analytics, "analytics.*.campaign.*", &[Stage(Rollup)]),
];

impl ProcessKind {
    /// Every kind: the ingress, the stages in the order of the pipeline, then the tools.
    pub fn all() -> impl Iterator<Item = Self> {
        let stages = StageName::ALL.iter().copied().map(Stage);
        let tools =
            [Self::Sandbox, Self::Streams, Self::Dead, Self::Top, Self::Doctor, Self::Operator];
        std::iter::once(Api).chain(stages).chain(tools)
    }

    /// The name of its login, and of the file with its credentials.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Stage(stage) => stage.as_str(),
            Self::Sandbox => "sandbox",
            Self::Streams => "streams",
            Self::Dead => "dead",
            Self::Top => "top",
            Self::Doctor => "doctor",
            Self::Operator => "operator",
        }
    }

    /// What answers to it arrive under: nobody else hears them.
    pub fn inbox(self) -> String {
        format!("_INBOX_{self}")
    }
}

impl fmt::Display for ProcessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
