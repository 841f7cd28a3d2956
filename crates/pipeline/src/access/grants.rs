//! What each kind of process may publish and subscribe to: the subjects that it says, and the calls
//! of the JetStream API that it makes.

use stage::StageName;
use wire::{Stream, stream::Retention};

use super::processes::{ProcessKind, SAID};
use crate::consumers::{CONSUMERS, ConsumerSpec};

/// The bucket of business time, which every process follows where the sandbox is allowed.
const CLOCK: &str = "CLOCK";

/// The bucket of carrier accounts, which the ingress keeps.
const ACCOUNTS: &str = "ACCOUNTS";

/// What `millrace doctor` tries to publish on. The trial is not stored, and nobody subscribes to
/// it.
pub const TRIED: &str = "msg.submitted.urgent";

/// The streams that tenants read.
pub const TENANTS_READ: [Stream; 2] = [Stream::Events, Stream::Analytics];

/// What a login may do. Subjects are the broker's patterns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// What it may publish on.
    pub publish: Vec<String>,
    /// What of that it may not.
    pub not_publish: Vec<String>,
    /// What it may subscribe to.
    pub subscribe: Vec<String>,
}

impl Grants {
    /// What a kind of process may do; none for the operator, who may do everything.
    pub fn of(kind: ProcessKind) -> Option<Self> {
        let mut grants = Self { subscribe: vec![format!("{}.>", kind.inbox())], ..Self::default() };
        grants.say(kind);
        match kind {
            ProcessKind::Api => grants.ingress(),
            ProcessKind::Stage(stage) => grants.stage(stage),
            ProcessKind::Sandbox => grants.bucket(CLOCK, true),
            ProcessKind::Streams => grants.declare(),
            ProcessKind::Dead => grants.letters(),
            ProcessKind::Top => grants.table(),
            ProcessKind::Doctor => grants.look(),
            ProcessKind::Operator => return None,
        }
        if !matches!(kind, ProcessKind::Sandbox) {
            grants.bucket(CLOCK, false);
        }
        grants.publish.sort();
        grants.publish.dedup();
        Some(grants)
    }

    /// What it says, and where that fills a stream that is kept, how full it is.
    fn say(&mut self, kind: ProcessKind) {
        for (stream, subject, by) in SAID {
            if by.contains(&kind) {
                self.publish.push((*subject).to_owned());
                if is_kept(*stream) {
                    self.room(*stream);
                }
            }
        }
    }

    fn stage(&mut self, stage: StageName) {
        for spec in CONSUMERS.iter().filter(|spec| spec.stage == stage) {
            let (stream, name) = (spec.stream.name(), spec.name);
            self.info(spec);
            self.call(&format!("CONSUMER.MSG.NEXT.{stream}.{name}"));
            self.publish.push(format!("$JS.ACK.{stream}.{name}.>"));
            // How old is what waits.
            self.call(&format!("STREAM.MSG.GET.{stream}"));
            self.publish.push(format!("dead.{}.*", stage.as_str()));
        }
        if stage == StageName::Schedule {
            self.purge();
        }
    }

    /// `schedule` makes room in streams that are kept.
    fn purge(&mut self) {
        for stream in Stream::ALL.into_iter().filter(|it| is_kept(*it) || *it == Stream::Dead) {
            self.room(stream);
            self.call(&format!("STREAM.PURGE.{}", stream.name()));
        }
    }

    /// Batches wait behind what the first stages have before them; accounts are mirrored; consumers
    /// of tenants are made, looked at and removed, and none of ours; what moves is followed by a
    /// consumer of each process.
    fn ingress(&mut self) {
        self.call(&format!("STREAM.INFO.{}", Stream::Submitted.name()));
        let first = [Stream::Submitted, Stream::Enriched];
        for spec in CONSUMERS.iter().filter(|spec| first.contains(&spec.stream)) {
            self.info(spec);
        }
        self.bucket(ACCOUNTS, true);

        for stream in TENANTS_READ {
            let name = stream.name();
            for subject in stream.subjects() {
                self.call(&format!("CONSUMER.CREATE.{name}.*.{subject}"));
            }
            for call in ["CREATE", "INFO", "DELETE", "MSG.NEXT"] {
                self.call(&format!("CONSUMER.{call}.{name}.*"));
            }
            for ours in CONSUMERS.iter().filter(|spec| spec.stream == stream) {
                let ours = ours.name;
                self.not_publish.push(format!("$JS.API.CONSUMER.CREATE.{name}.{ours}.>"));
                for call in ["CREATE", "DELETE", "MSG.NEXT"] {
                    self.not_publish.push(format!("$JS.API.CONSUMER.{call}.{name}.{ours}"));
                }
            }
        }
    }

    /// Streams and consumers are declared; what earlier versions kept elsewhere is moved.
    fn declare(&mut self) {
        for call in ["INFO", "STREAM.INFO.*", "STREAM.CREATE.*", "STREAM.UPDATE.*"] {
            self.call(call);
        }
        for call in ["CONSUMER.INFO.*.*", "CONSUMER.CREATE.>", "CONSUMER.NAMES.*"] {
            self.call(call);
        }

        let carrier = Stream::Carrier.name();
        self.call(&format!("STREAM.MSG.GET.{carrier}"));
        self.call(&format!("CONSUMER.DELETE.{carrier}.inbound"));
        self.publish.extend(Stream::Texts.subjects().iter().map(|&subject| subject.to_owned()));
    }

    /// Letters are read, replaced and deleted, and what is redriven goes where it was read from.
    fn letters(&mut self) {
        self.room(Stream::Dead);
        self.call(&format!("STREAM.MSG.DELETE.{}", Stream::Dead.name()));
        for stream in Stream::ALL {
            let is_read = stream.retention() != Retention::LastValue;
            let subjects = stream.subjects().iter().filter(|_| is_read);
            self.publish.extend(subjects.map(|&subject| subject.to_owned()));
        }
    }

    fn table(&mut self) {
        for spec in CONSUMERS {
            self.info(spec);
            self.call(&format!("STREAM.MSG.GET.{}", spec.stream.name()));
        }
        self.call(&format!("STREAM.INFO.{}", Stream::Dead.name()));
    }

    fn look(&mut self) {
        for call in ["INFO", "STREAM.INFO.*", "CONSUMER.INFO.*.*", "CONSUMER.NAMES.*"] {
            self.call(call);
        }
        for stream in Stream::ALL {
            self.call(&format!("STREAM.MSG.GET.{}", stream.name()));
        }
        self.publish.push(TRIED.to_owned());
    }

    /// How full a stream is, and what of it our own consumers have not read.
    fn room(&mut self, stream: Stream) {
        self.call(&format!("STREAM.INFO.{}", stream.name()));
        self.call(&format!("STREAM.MSG.GET.{}", stream.name()));
        for spec in CONSUMERS.iter().filter(|spec| spec.stream == stream) {
            self.info(spec);
        }
    }

    fn info(&mut self, spec: &ConsumerSpec) {
        self.call(&format!("CONSUMER.INFO.{}.{}", spec.stream.name(), spec.name));
    }

    /// A bucket is read and followed; whoever keeps it makes it and writes.
    fn bucket(&mut self, bucket: &str, keeps: bool) {
        let stream = format!("KV_{bucket}");
        for call in ["STREAM.INFO", "STREAM.MSG.GET", "DIRECT.GET", "CONSUMER.CREATE"] {
            self.call(&format!("{call}.{stream}"));
        }
        for call in ["DIRECT.GET", "CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.DELETE"] {
            self.call(&format!("{call}.{stream}.>"));
        }
        self.publish.push(format!("$JS.FC.{stream}.>"));

        if keeps {
            // The client asks what the account may use before it makes a bucket.
            self.call("INFO");
            self.call(&format!("STREAM.CREATE.{stream}"));
            self.publish.push(format!("$KV.{bucket}.>"));
        }
    }

    fn call(&mut self, call: &str) {
        self.publish.push(format!("$JS.API.{call}"));
    }
}

/// Whether a stream is kept for a time, whoever has read it, and no letters: whoever fills it looks
/// how full it is.
pub(crate) fn is_kept(stream: Stream) -> bool {
    matches!(stream.retention(), Retention::Limits(_)) && stream != Stream::Dead
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: ProcessKind) -> Grants {
        Grants::of(kind).expect("not everything")
    }

    #[test]
    fn a_stage_says_and_reads_what_is_its_own() {
        let gate = of(ProcessKind::Stage(StageName::Gate));
        let may = |subject: &str| gate.publish.iter().any(|one| one == subject);
        for own in [
            "msg.admitted.*.*",
            "dead.gate.*",
            "$JS.API.CONSUMER.MSG.NEXT.ENRICHED.gate-bulk",
            "$JS.ACK.ENRICHED.gate-urgent.>",
        ] {
            assert!(may(own), "{own} in {gate:?}");
        }
        for other in ["msg.submitted.*", "dead.send.*", "$JS.API.STREAM.PURGE.EVENTS"] {
            assert!(!may(other), "{other}");
        }
        assert_eq!(gate.subscribe, ["_INBOX_gate.>"]);
    }

    #[test]
    fn nobody_but_the_operator_may_do_everything() {
        for kind in ProcessKind::all().filter(|kind| *kind != ProcessKind::Operator) {
            let grants = of(kind);
            let wide =
                |subject: &String| matches!(subject.as_str(), ">" | "$JS.API.>" | "_INBOX.>");
            let found: Vec<_> =
                grants.publish.iter().chain(&grants.subscribe).filter(|one| wide(one)).collect();
            assert!(found.is_empty(), "{kind}: {found:?}");
        }
        assert_eq!(Grants::of(ProcessKind::Operator), None);
    }

    #[test]
    fn the_ingress_changes_reads_and_removes_no_consumer_of_a_stage() {
        let api = of(ProcessKind::Api);
        for call in ["CREATE", "DELETE", "MSG.NEXT"] {
            let refused = format!("$JS.API.CONSUMER.{call}.EVENTS.rollup");
            assert!(api.not_publish.contains(&refused), "{refused}");
        }
    }
}
