//! Message states as SQL compares them: by their numbers, which are [`MessageState`]'s own.

use domain::message::state::MessageState;

/// The numbers of the states for which something holds, for `state = any (...)`.
pub(crate) fn codes(holds: impl Fn(MessageState) -> bool) -> Vec<i16> {
    let states = MessageState::ALL.into_iter().filter(|state| holds(*state));
    states.map(MessageState::code).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::message::state::MessageState::{self, Blocked, Deferred, Queued, Sent};

    use crate::core::sources;

    /// The numbers of states that SQL still holds: the file, the comparison, and the states that it
    /// means. Everything else binds [`MessageState::code`].
    const LITERALS: [(&str, &str, &[MessageState]); 4] = [
        ("crates/store/src/messages/claim.rs", "state = 3", &[Queued]),
        ("migrations/0033_counts.sql", "state = 10", &[Blocked]),
        ("migrations/0033_counts.sql", "state = 1", &[Deferred]),
        ("migrations/0033_counts.sql", "state = 20", &[Sent]),
    ];

    /// What may stand between `state` and a number.
    const OPERATORS: [&str; 10] = ["<>", "!=", ">=", "<=", "=", "<", ">", "in", "when", ","];

    /// A comparison of a state with numbers.
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Literal {
        file: String,
        sql: String,
        operator: &'static str,
        numbers: Vec<i16>,
    }

    #[test]
    fn every_number_of_a_state_in_sql_is_one_that_the_table_names() {
        let found = literals();

        let known: BTreeSet<(&str, &str)> =
            LITERALS.iter().map(|(file, sql, _)| (*file, *sql)).collect();
        let used: BTreeSet<(&str, &str)> =
            found.iter().map(|one| (one.file.as_str(), one.sql.as_str())).collect();
        assert_eq!(used, known, "bind `MessageState::code`, or name the states in this table");

        for literal in &found {
            let states = LITERALS.iter().find(|(file, sql, _)| is(literal, file, sql));
            let meant: BTreeSet<i16> =
                states.into_iter().flat_map(|(.., states)| *states).map(|one| one.code()).collect();
            assert_eq!(compared(literal), meant, "{literal:?}");
        }
    }

    #[test]
    fn a_number_is_found_behind_each_operator_and_on_the_next_line() {
        let text = "m.state = 3 or state in (0,\n 21) or x.state\n>= 20 or statement = 1 or \
                    estate = 2 or greatest(m.state, 20) or state = 'draft' or state = $4";
        let found = read("f", text);
        let sql: Vec<&str> = found.iter().map(|one| one.sql.as_str()).collect();
        assert_eq!(sql, ["state = 3", "state in (0, 21)", "state >= 20", "state , 20"]);
        assert_eq!(found[1].numbers, [0, 21]);
    }

    fn is(literal: &Literal, file: &str, sql: &str) -> bool {
        literal.file == file && literal.sql == sql
    }

    /// The numbers that a comparison lets through, or keeps out.
    fn compared(literal: &Literal) -> BTreeSet<i16> {
        let number = literal.numbers[0];
        let all = MessageState::ALL.into_iter().map(MessageState::code);
        match literal.operator {
            "<" => all.filter(|code| *code < number).collect(),
            "<=" => all.filter(|code| *code <= number).collect(),
            ">" => all.filter(|code| *code > number).collect(),
            ">=" => all.filter(|code| *code >= number).collect(),
            _each => literal.numbers.iter().copied().collect(),
        }
    }

    /// Every comparison of a state with numbers in the store's files and the migrations.
    fn literals() -> BTreeSet<Literal> {
        let files = sources::files(&["crates/store/src", "migrations"]);
        files.iter().flat_map(|(file, text)| read(file, text)).collect()
    }

    fn read(file: &str, text: &str) -> Vec<Literal> {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let words = text.match_indices("state").filter(|(i, word)| {
            let before = text[..*i].chars().next_back();
            let after = text[i + word.len()..].chars().next();
            !before.is_some_and(part) && !after.is_some_and(part)
        });
        words.filter_map(|(i, word)| literal(file, &text[i + word.len()..])).collect()
    }

    /// The comparison that follows the word, if it is one with numbers.
    fn literal(file: &str, after: &str) -> Option<Literal> {
        let rest = after.trim_start();
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator))?;
        let rest = rest[operator.len()..].trim_start();

        let listed = rest.strip_prefix('(').and_then(|list| list.split_once(')'));
        let numbers: Vec<i16> = match listed {
            Some((list, _)) => {
                list.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?
            }
            None => {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                vec![digits.parse().ok()?]
            }
        };

        let names: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let sql = match listed {
            Some(_) => format!("state {operator} ({names})"),
            None => format!("state {operator} {names}"),
        };
        Some(Literal { file: file.to_owned(), sql, operator, numbers })
    }
}
