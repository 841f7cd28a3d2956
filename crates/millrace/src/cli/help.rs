//! Help as it is shown: what a command is for, an example, its own flags. The settings that all
//! processes share are shown once, by `millrace settings`.

use boot::settings::Common;
use clap::{Args, Command, CommandFactory};

use super::Cli;

/// How the settings that all processes share are headed.
const SHARED: &str = "Settings";

/// An example of each command, by its words.
const EXAMPLES: [(&str, &str); 51] = [
    ("", "millrace up --demo"),
    ("up", "millrace up --demo --listen 127.0.0.1:8080"),
    ("api", "millrace api --listen 0.0.0.0:8080"),
    ("stage", "millrace stage send --workers 4 --lane urgent"),
    ("sandbox", "millrace sandbox --listen 127.0.0.1:8090"),
    ("settings", "millrace settings"),
    ("doctor", "millrace doctor"),
    ("top", "millrace top --once"),
    ("migrate", "millrace migrate --public-url https://api.example.com"),
    ("streams", "millrace streams diff"),
    ("nats", "millrace nats config nats"),
    ("nats config", "millrace nats config nats"),
    ("tenant", "millrace tenant list"),
    ("tenant create", "millrace tenant create acme --name Acme"),
    ("tenant list", "millrace tenant list"),
    ("tenant show", "millrace tenant show acme"),
    ("tenant limits", "millrace tenant limits acme --members 20 --pace 100"),
    ("tenant archive", "millrace tenant archive acme"),
    ("tenant restore", "millrace tenant restore acme"),
    ("token", "millrace token list --tenant acme"),
    ("token create", "millrace token create --tenant acme --role operator"),
    ("token list", "millrace token list --tenant acme"),
    ("token revoke", "millrace token revoke 0198f1d2-7c00-7a00-8000-000000000080 --tenant acme"),
    ("user", "millrace user list --tenant acme"),
    ("user invite", "millrace user invite ana@example.com --tenant acme --role owner"),
    ("user list", "millrace user list --tenant acme"),
    ("user reset", "millrace user reset ana@example.com"),
    ("account", "millrace account list"),
    ("account create", "millrace account create --carrier twilio --sid AC1 --token-file token"),
    ("account list", "millrace account list"),
    ("account share", "millrace account share HANDLE acme --weight 2"),
    ("account pace", "millrace account pace HANDLE 50"),
    ("account token", "millrace account token HANDLE --token-file token"),
    ("keys", "millrace keys rotate"),
    ("keys rotate", "millrace keys rotate"),
    ("switch", "millrace switch platform paused --reason maintenance"),
    ("dead", "millrace dead list"),
    ("dead list", "millrace dead list --stage gate --limit 20"),
    ("dead show", "millrace dead show 12"),
    ("dead redrive", "millrace dead redrive --stage gate --dry-run"),
    ("dead discard", "millrace dead discard --tenant acme --dry-run"),
    ("rollup", "millrace rollup rebuild --check"),
    ("rollup rebuild", "millrace rollup rebuild --check"),
    ("demo", "millrace demo --api http://127.0.0.1:8080"),
    ("document", "millrace document openapi"),
    ("bench", "millrace bench --seconds 20"),
    ("chaos", "millrace chaos --seed 5 --recipients 2000"),
    ("fair", "millrace fair --each 2 --blows"),
    ("cluster", "millrace cluster --texts 10000"),
    ("soak", "millrace soak --minutes 30"),
    ("demo-people", "millrace demo-people --seed 1"),
];

/// The command line with its help.
pub fn command() -> Command {
    shown(Cli::command(), String::new())
}

/// All settings, each with its variable, unit and default.
pub fn settings() -> String {
    let about = "The settings that every command has: as a flag, or as a variable of the \
        environment, which a flag overrides. A secret may come from a file: the variable with \
        _FILE at its end names it.\n\n\
        Example: MILLRACE_LISTEN=127.0.0.1:8080 millrace api --log-filter info,api=debug";
    let settings = Common::augment_args(Command::new("millrace")).disable_help_flag(true);
    // In place of what the code says of them.
    let settings = settings.about(about).long_about(about);
    settings.help_template("{about}\n\n{options}\n").render_long_help().to_string()
}

/// A command with its example, its shared settings hidden, and likewise those below it.
fn shown(command: Command, words: String) -> Command {
    let example = EXAMPLES.iter().find(|(of, _)| *of == words).map(|(_, example)| *example);
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let more = command.get_long_about().map(ToString::to_string);
    let more = more.as_deref().and_then(|more| more.strip_prefix(&about)).unwrap_or_default();
    let more = more.trim_start_matches('.');
    let has_settings = command.get_arguments().any(is_shared);

    let example = example.map(|example| format!("\n\nExample: {example}")).unwrap_or_default();
    let mut command = command.long_about(format!("{about}{example}{more}"));
    if has_settings {
        command = command
            .mut_args(|arg| if is_shared(&arg) { arg.hide(true) } else { arg })
            .after_help("Settings, the same for every command: millrace settings");
    }

    let below: Vec<String> =
        command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    below.into_iter().fold(command, |command, name| {
        let words = format!("{words} {name}").trim().to_owned();
        command.mut_subcommand(name, |one| shown(one, words))
    })
}

fn is_shared(arg: &clap::Arg) -> bool {
    arg.get_help_heading() == Some(SHARED)
}

#[cfg(test)]
mod tests {
    use stage::StageName;

    use super::*;

    /// Every command with its words.
    fn all(command: &Command, words: String, found: &mut Vec<(String, Command)>) {
        found.push((words.clone(), command.clone()));
        for one in command.get_subcommands() {
            all(one, format!("{words} {}", one.get_name()).trim().to_owned(), found);
        }
    }

    #[test]
    fn help_starts_with_what_a_command_is_for_and_an_example_that_can_be_run() {
        let mut found = Vec::new();
        all(&command(), String::new(), &mut found);

        for (words, mut one) in found {
            let help = one.render_long_help().to_string();
            let mut lines = help.lines().filter(|line| !line.is_empty());
            let about = lines.next().unwrap_or_default().to_owned();
            let example = lines.find_map(|line| line.strip_prefix("Example: "));
            let example = example.unwrap_or_else(|| panic!("`{words}` has no example:\n{help}"));

            assert!(about.len() > 10, "`{words}`: {about}");
            assert!(help.find("Example: ") < help.find("Usage: "), "`{words}`");
            let parsed = command().try_get_matches_from(example.split(' '));
            assert!(parsed.is_ok(), "`{example}`: {}", parsed.expect_err("an error"));
            assert!(!help.contains("DATABASE_URL"), "`{words}` shows shared settings");
        }
    }

    #[test]
    fn help_names_what_may_stand_where_a_stage_is_wanted() {
        let mut command = command();
        let stage = command.find_subcommand_mut("stage").expect("a command");
        let help = stage.render_long_help().to_string();
        for name in StageName::ALL {
            assert!(help.contains(name.as_str()), "{name:?} is not in\n{help}");
        }
    }

    #[test]
    fn settings_are_shown_with_their_variables_and_defaults() {
        let shown = settings();
        for known in ["DATABASE_URL", "MILLRACE_ACK_WAIT", "[default: 6]", "--nats-url"] {
            assert!(shown.contains(known), "{known} is not in\n{shown}");
        }
    }
}
