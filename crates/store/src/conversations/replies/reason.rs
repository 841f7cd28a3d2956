//! Why a text was answered, or was not: one list of words, with what follows from each.

use crate::core::words::words;

/// That a text is answered, or why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyReason {
    /// The AI has answered it.
    Answered,
    /// It was answered with the words that the settings have for it.
    Keyword,
    /// It was answered with what the settings say outside the hours.
    ClosedAnswer,
    /// The person has opted out or must not be contacted.
    OptedOut,
    /// The thread has begun anew since the text came.
    EpochOver,
    /// A person answers in the thread, or is to: the assistant is quiet.
    PersonAnswers,
    /// The thread has had its answers of this hour.
    AnswersPerHour,
    /// The person has had their automatic answers of this day.
    AnswersPerDay,
    /// The same words have had an answer this day: a machine says them.
    Repeated,
    /// It says what was answered: an echo, or a machine that repeats.
    Echo,
    /// More texts came in an hour than a person writes.
    Flood,
    /// It is too old to be answered by the assistant.
    TooOld,
    /// There is nothing in the text.
    Empty,
    /// Nothing is known of the text's thread.
    NoFacts,
    /// No AI is set up, or it is turned off.
    AiOff,
    /// The settings cannot be read by this version.
    BadSettings,
    /// It came outside the hours, which have no answer of their own, or have given it.
    Closed,
    /// It holds a word after which a person goes on.
    Escalated,
    /// The day's tokens or money are used up.
    Budget,
    /// The AI provider refuses the account.
    AiAccount,
    /// The AI provider refuses the question.
    AiRefused,
    /// The AI provider gives no answer.
    AiUnavailable,
    /// The answer breaks off, or is not in the form that was asked for.
    AiIncomplete,
    /// The model wants a person to go on.
    AiHandsOff,
    /// The model is not sure enough.
    AiUnsure,
    /// No whole sentence of the answer fits.
    AiTooLong,
    /// The answer holds what the model was not told.
    AiNotAllowed,
}

use ReplyReason::{
    AiAccount, AiHandsOff, AiIncomplete, AiNotAllowed, AiOff, AiRefused, AiTooLong, AiUnavailable,
    AiUnsure, Answered, AnswersPerDay, AnswersPerHour, BadSettings, Budget, Closed, ClosedAnswer,
    Echo, Empty, EpochOver, Escalated, Flood, Keyword, NoFacts, OptedOut, PersonAnswers, Repeated,
    TooOld,
};

impl ReplyReason {
    /// Every reason, those of answers first.
    pub const ALL: [Self; 27] = [
        Answered,
        Keyword,
        ClosedAnswer,
        OptedOut,
        EpochOver,
        PersonAnswers,
        AnswersPerHour,
        AnswersPerDay,
        Repeated,
        Echo,
        Flood,
        TooOld,
        Empty,
        NoFacts,
        AiOff,
        BadSettings,
        Closed,
        Escalated,
        Budget,
        AiAccount,
        AiRefused,
        AiUnavailable,
        AiIncomplete,
        AiHandsOff,
        AiUnsure,
        AiTooLong,
        AiNotAllowed,
    ];

    /// The name in rows and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Answered => "answered",
            Keyword => "keyword",
            ClosedAnswer => "closed_answer",

            OptedOut => "opted_out",
            EpochOver => "epoch_over",
            PersonAnswers => "person_answers",
            AnswersPerHour => "answers_per_hour",
            AnswersPerDay => "answers_per_day",
            Repeated => "repeated",
            Echo => "echo",
            Flood => "flood",
            TooOld => "too_old",
            Empty => "empty",
            NoFacts => "no_facts",
            AiOff => "ai_off",
            BadSettings => "bad_settings",
            Closed => "closed",
            Escalated => "escalated",
            Budget => "budget",

            AiAccount => "ai_account",
            AiRefused => "ai_refused",
            AiUnavailable => "ai_unavailable",
            AiIncomplete => "ai_incomplete",
            AiHandsOff => "ai_hands_off",
            AiUnsure => "ai_unsure",
            AiTooLong => "ai_too_long",
            AiNotAllowed => "ai_not_allowed",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Whether the conversation goes to people with it: somebody waits for an answer that the
    /// assistant does not give. Who said stop waits for none, a person who answers
    /// there knows of it, and where no assistant is set up people read what comes in any case.
    pub fn hands_off(self) -> bool {
        match self {
            Answered | Keyword | ClosedAnswer => false,
            OptedOut | EpochOver | PersonAnswers | NoFacts | AiOff | Echo => false,
            AnswersPerHour | AnswersPerDay | Repeated | Flood | TooOld | Empty => true,
            BadSettings | Closed | Escalated | Budget => true,
            AiAccount | AiRefused | AiUnavailable | AiIncomplete => true,
            AiHandsOff | AiUnsure | AiTooLong | AiNotAllowed => true,
        }
    }
}

words! { ReplyReason = "reason of a reply" }
