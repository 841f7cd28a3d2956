//! Automatic answers: confirmations, HELP and what the AI writes. Two machines that answer each
//! other must come to an end, whatever they say: so an opt-out is confirmed once and not again
//! while the person is out, HELP is answered once an hour, and everything together has a cap.

use std::collections::BTreeSet;

use jiff::SignedDuration;

/// The most automatic answers of any kind that a person gets in [`DAY`].
pub const PER_DAY: i64 = 20;

/// The time in which automatic answers are counted, back from now.
pub const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long HELP, and START of somebody who is not out, is not answered again.
pub const REPEATED: SignedDuration = SignedDuration::from_hours(1);

/// What a text is answered with by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomaticAnswer {
    /// The person gets no more messages.
    OptOut,
    /// The person gets no more messages of one program.
    OptOutOfProgram,
    /// The person gets messages again.
    OptIn,
    /// Who this is, and how to stop it.
    Help,
    /// What the AI has written.
    Ai,
}

impl AutomaticAnswer {
    /// Every answer, those that the law asks for first.
    pub const ALL: [Self; 5] =
        [Self::OptOut, Self::OptOutOfProgram, Self::OptIn, Self::Help, Self::Ai];

    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::OptOutOfProgram => "opt_out_program",
            Self::OptIn => "opt_in",
            Self::Help => "help",
            Self::Ai => "ai",
        }
    }

    /// The answer of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.as_str() == name)
    }
}

/// What a text asks for that the law wants answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComplianceRequest<'a> {
    /// No more messages, of one program or of all.
    OptOut {
        /// The program; none: everything of the tenant.
        program: Option<&'a str>,
    },
    /// To get messages again.
    OptIn,
    /// Who this is, and how to stop it.
    Help,
}

/// What a person has said and been answered before a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnsweredPerson {
    /// Whether they get no messages.
    pub is_out: bool,
    /// The programs that they have left.
    pub left_programs: BTreeSet<String>,
    /// Automatic answers of any kind in the last [`DAY`].
    pub today: i64,
    /// Whether HELP was answered in the last [`REPEATED`].
    pub had_help: bool,
    /// Whether START was answered in the last [`REPEATED`].
    pub had_welcome: bool,
}

impl AnsweredPerson {
    /// Takes the next text of the person into account, and gives the answer that it gets, if any.
    /// `by_carrier`: the carrier has answered it by itself.
    pub fn answer(
        &mut self,
        request: ComplianceRequest<'_>,
        by_carrier: bool,
    ) -> Option<AutomaticAnswer> {
        let answer = self.wanted(request).filter(|_| !by_carrier && self.today < PER_DAY)?;
        self.today += 1;
        self.had_help |= answer == AutomaticAnswer::Help;
        self.had_welcome |= answer == AutomaticAnswer::OptIn;
        Some(answer)
    }

    /// The answer that is news to the person.
    fn wanted(&mut self, request: ComplianceRequest<'_>) -> Option<AutomaticAnswer> {
        match request {
            ComplianceRequest::OptOut { program: None } => {
                let is_new = !std::mem::replace(&mut self.is_out, true);
                is_new.then_some(AutomaticAnswer::OptOut)
            }
            ComplianceRequest::OptOut { program: Some(program) } => {
                let is_new = self.left_programs.insert(program.to_owned()) && !self.is_out;
                is_new.then_some(AutomaticAnswer::OptOutOfProgram)
            }
            ComplianceRequest::OptIn => {
                let was_out = self.is_out || !self.left_programs.is_empty();
                self.is_out = false;
                self.left_programs.clear();
                (was_out || !self.had_welcome).then_some(AutomaticAnswer::OptIn)
            }
            ComplianceRequest::Help => (!self.had_help).then_some(AutomaticAnswer::Help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: ComplianceRequest<'_> = ComplianceRequest::OptOut { program: None };

    #[test]
    fn an_opt_out_is_confirmed_once_until_the_person_is_back() {
        let mut person = AnsweredPerson::default();
        assert_eq!(person.answer(STOP, false), Some(AutomaticAnswer::OptOut));
        assert_eq!(person.answer(STOP, false), None);
        assert_eq!(person.answer(ComplianceRequest::OptOut { program: Some("news") }, false), None);

        assert_eq!(person.answer(ComplianceRequest::OptIn, false), Some(AutomaticAnswer::OptIn));
        assert_eq!(person.answer(STOP, false), Some(AutomaticAnswer::OptOut));
    }

    #[test]
    fn what_the_carrier_has_confirmed_is_not_confirmed_again_in_other_words() {
        let mut person = AnsweredPerson::default();
        assert_eq!(person.answer(STOP, true), None);
        assert_eq!(person.answer(STOP, false), None);
    }

    #[test]
    fn a_program_that_is_left_is_confirmed_once_and_everything_once_after_it() {
        let mut person = AnsweredPerson::default();
        let news = ComplianceRequest::OptOut { program: Some("news") };
        assert_eq!(person.answer(news, false), Some(AutomaticAnswer::OptOutOfProgram));
        assert_eq!(person.answer(news, false), None);
        assert_eq!(person.answer(STOP, false), Some(AutomaticAnswer::OptOut));
    }

    #[test]
    fn help_and_a_start_that_changes_nothing_are_answered_once_an_hour() {
        let mut person = AnsweredPerson::default();
        for (request, answer) in [
            (ComplianceRequest::Help, AutomaticAnswer::Help),
            (ComplianceRequest::OptIn, AutomaticAnswer::OptIn),
        ] {
            assert_eq!(person.answer(request, false), Some(answer));
            assert_eq!(person.answer(request, false), None);
        }
    }

    #[test]
    fn whatever_is_asked_a_day_has_so_many_answers() {
        let mut person = AnsweredPerson::default();
        let answered = (0..1_000)
            .filter(|n| {
                let request = if n % 2 == 0 { STOP } else { ComplianceRequest::OptIn };
                person.answer(request, false).is_some()
            })
            .count();
        assert_eq!(answered, 20);
    }

    #[test]
    fn every_answer_is_read_back_by_its_name() {
        for answer in AutomaticAnswer::ALL {
            assert_eq!(AutomaticAnswer::from_name(answer.as_str()), Some(answer));
        }
    }
}
