//! The names of the stages: one list, in the order of the pipeline.

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        /// A stage or source. Its name is that of its consumers, spans, metrics and dead letters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StageName {
            $(#[doc = concat!("The stage `", $text, "`.")] $name,)*
        }

        impl StageName {
            /// Every stage, in the order of the pipeline.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in subjects, consumers, metrics and commands.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

names! {
    Audience "audience"
    Enrich "enrich"
    Gate "gate"
    Throttle "throttle"
    Send "send"
    Reconcile "reconcile"
    Inbound "inbound"
    Media "media"
    Reply "reply"
    Rollup "rollup"
    Schedule "schedule"
}
