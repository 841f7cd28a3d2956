//! The assistant that answers texts: what it is told, what it is asked, and what is made of what it
//! says. The model only proposes; what may go out is decided here.

mod answer;
mod claims;
mod facts;
mod lookup;
mod prompt;
mod rules;
mod schema;
mod sense;
mod settings;
mod tool;

pub use answer::{AnswerDoubt, AnswerDraft, Confidence, Handoff, judge};
pub use facts::{Cues, Foreword};
pub use lookup::{MOST_RESULT, ToolFailure, ToolResult, is_short_input};
pub use prompt::{ANSWER_TOOL, Turn, TurnSpeaker, answer_schema, instructions, turns};
pub use schema::{SchemaFault, check_schema, fits_schema};
pub use sense::SettingsFault;
pub use settings::{
    AssistantBudget, AssistantSettings, KeywordAnswer, ModelPrice, QualificationField,
};
pub use tool::{AssistantTool, MOST_TOOLS, TOOL_ROUNDS};

/// What settings of the assistant hold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AssistantScope {
    /// All conversations of the company.
    Company,
    /// Those of one brand.
    Brand,
    /// Those of one inbox.
    Inbox,
}

impl AssistantScope {
    /// Every scope, the widest first: of several the last holds.
    pub const ALL: [Self; 3] = [Self::Company, Self::Brand, Self::Inbox];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Brand => "brand",
            Self::Inbox => "inbox",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

crate::described_words! {
    AssistantScope, "What settings of the assistant hold for: of several the most specific holds, \
        whole: the inbox's, else the brand's, else the company's.";
}
