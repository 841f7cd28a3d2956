//! A look as a table of plain text.

use std::{fmt::Write, time::Duration};

use domain::message::class::Lane;

use super::look::{ConsumerLook, Look, RowsLook};

/// The table of a look, with the rates since the one before. Counts are frames, of 1 to 256
/// messages, above the line and messages below it, unless it says otherwise.
pub(super) fn of(before: Option<&Look>, now: &Look) -> String {
    let mut table = format!(
        "{:<10} {:<7} {:<16} {:>9} {:>9} {:>9} {:>11} {:>9}\n",
        "stage", "lane", "consumer", "acks/s", "lag", "un-acked", "redelivered", "oldest"
    );
    let passed = before.map(|before| now.taken.duration_since(before.taken));
    for (i, (spec, look)) in now.consumers.iter().enumerate() {
        let lane = spec.lane.map_or("-", Lane::as_str);
        let (stage, name) = (spec.stage.as_str(), spec.name);
        let _ = write!(table, "{stage:<10} {lane:<7} {name:<16}");
        let Some(look) = look else {
            table.push_str(" no answer\n");
            continue;
        };
        let earlier = before.and_then(|before| before.consumers.get(i)?.1.as_ref());
        let rate = rate(earlier, look, passed);
        let ConsumerLook { backlog, oldest } = look;
        let _ = writeln!(
            table,
            " {rate:>9} {:>9} {:>9} {:>11} {:>9}",
            backlog.pending,
            backlog.unacked,
            backlog.redelivered,
            oldest.map_or_else(|| "-".into(), age)
        );
    }

    table.push_str(&rows(&now.rows));
    let dead = now.dead.map_or_else(|| "no answer".into(), |frames| format!("{frames} frames"));
    let _ = writeln!(table, "dead letters: {dead}");
    table
}

fn rows(rows: &Result<RowsLook, String>) -> String {
    match rows {
        Ok(RowsLook { due, held, doubts, unfolded }) => format!(
            "parked: {due} due, {held} held\nin doubt: {doubts}\nmoved counts not folded: \
             {unfolded} groups\n"
        ),
        Err(why) => format!("database: {}\n", why.replace('\n', " ")),
    }
}

/// How far the ack floor has come in each second; nothing where it was not known before.
fn rate(earlier: Option<&ConsumerLook>, now: &ConsumerLook, passed: Option<Duration>) -> String {
    let (Some(earlier), Some(passed)) = (earlier, passed) else { return "-".into() };
    // A consumer that was made anew begins at nothing.
    let acked = now.backlog.acked.saturating_sub(earlier.backlog.acked);
    format!("{:.1}", acked as f64 / passed.as_secs_f64().max(0.001))
}

/// An age as people read it.
fn age(age: Duration) -> String {
    match age.as_secs() {
        0..100 => format!("{:.1} s", age.as_secs_f64()),
        seconds @ 100..6_000 => format!("{} min", seconds / 60),
        seconds @ 6_000..360_000 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use pipeline::{backlog::Backlog, consumers::CONSUMERS};

    use super::*;

    fn look(taken: Instant, acked: u64) -> Look {
        let backlog =
            Backlog { acked, pending: 7, unacked: 3, redelivered: 2, ..Backlog::default() };
        let known = ConsumerLook { backlog, oldest: Some(Duration::from_secs(130)) };
        Look {
            taken,
            consumers: vec![(&CONSUMERS[0], Some(known)), (&CONSUMERS[1], None)],
            dead: Some(4),
            rows: Ok(RowsLook { due: 5, held: 6, doubts: 1, unfolded: 9 }),
        }
    }

    #[test]
    fn a_table_says_the_rate_since_the_look_before() {
        let begun = Instant::now();
        let (before, now) = (look(begun, 100), look(begun + Duration::from_secs(2), 125));

        let table = of(Some(&before), &now);
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        let cells = ["enrich", "urgent", "enrich-urgent", "12.5", "7", "3", "2", "2", "min"];
        assert_eq!(lines[1], cells);
        assert_eq!(lines[2], ["enrich", "bulk", "enrich-bulk", "no", "answer"]);
        assert!(table.contains("parked: 5 due, 6 held\nin doubt: 1\n"), "{table}");
        assert!(table.ends_with("not folded: 9 groups\ndead letters: 4 frames\n"), "{table}");

        assert!(of(None, &now).contains("enrich-urgent            -         7"), "{table}");
        // One that was deleted and made again has gone nowhere.
        let again = of(Some(&look(begun, 1_000)), &now);
        assert!(again.contains(" 0.0         7"), "{again}");
    }

    #[test]
    fn an_age_is_short() {
        let ages = [0, 99, 100, 5_999, 6_000, 360_000].map(|s| age(Duration::from_secs(s)));
        assert_eq!(ages, ["0.0 s", "99.0 s", "1 min", "99 min", "1 h", "4 d"]);
    }
}
