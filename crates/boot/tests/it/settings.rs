//! Settings as a process reads them: defaults, files, and the one line for each mistake.

use base64::{Engine, engine::general_purpose::STANDARD};
use boot::{
    embedded::Scratch,
    settings::{Common, Settings, SettingsError},
    telemetry::logs::LogFormat,
};
use clap::{CommandFactory, Parser};
use secrecy::{ExposeSecret, SecretString};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Common,
}

/// Settings from flags alone: the environment of the test run may set some.
fn from_flags(flags: &[&str]) -> Result<Settings, SettingsError> {
    let given = Cli::parse_from(["millrace"].iter().chain(flags)).common;

    let mut common = Common::default();
    for flag in flags.iter().filter_map(|flag| flag.split('=').next()) {
        match flag {
            "--database-url" => common.database_url = given.database_url.clone(),
            "--nats-url" => common.nats_url = given.nats_url.clone(),
            "--listen" => common.listen = given.listen.clone(),
            "--health-listen" => common.health_listen = given.health_listen.clone(),
            "--public-url" => common.public_url = given.public_url.clone(),
            "--allow-carrier-hosts" => {
                common.allow_carrier_hosts = given.allow_carrier_hosts.clone();
            }
            "--allow-tool-hosts" => common.allow_tool_hosts = given.allow_tool_hosts.clone(),
            "--sandbox-url" => common.sandbox_url = given.sandbox_url.clone(),
            "--call-by" => common.call_by = given.call_by.clone(),
            "--carrier-calls" => common.carrier_calls = given.carrier_calls.clone(),
            "--request-timeout" => common.request_timeout = given.request_timeout.clone(),
            "--list-lag" => common.list_lag = given.list_lag.clone(),
            "--doubt-limit" => common.doubt_limit = given.doubt_limit.clone(),
            "--receipt-fetch" => common.receipt_fetch = given.receipt_fetch.clone(),
            "--receipt-horizon" => common.receipt_horizon = given.receipt_horizon.clone(),
            "--retain-text" => common.retain_text = given.retain_text.clone(),
            "--retain-messages" => common.retain_messages = given.retain_messages.clone(),
            "--retain-import-rows" => {
                common.retain_import_rows = given.retain_import_rows.clone();
            }
            "--counts-limit" => common.counts_limit = given.counts_limit.clone(),
            "--sandbox" => common.sandbox = given.sandbox.clone(),
            "--log" => common.log = given.log.clone(),
            "--log-filter" => common.log_filter = given.log_filter.clone(),
            other => panic!("{other} is not used in these tests"),
        }
    }

    common.resolve()
}

fn mistake(flags: &[&str]) -> String {
    let line = from_flags(flags).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

fn key(byte: u8) -> SecretString {
    STANDARD.encode([byte; 32]).into()
}

#[test]
fn without_any_setting_the_defaults_hold() {
    let settings = Common::default().resolve().unwrap();
    assert!(settings.database_url.is_none() && settings.listen.is_none());
    assert_eq!(settings.health_listen.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.public_url, "http://127.0.0.1:8080");
    assert!(!settings.sandbox && settings.counts_limit == 2_000_000);

    let line = settings.need_database().unwrap_err().to_string();
    assert_eq!(line, "DATABASE_URL: is not set: postgres://user:password@host/database");
}

#[test]
fn flags_are_parsed_and_the_public_url_follows_the_listen_address() {
    let settings = from_flags(&[
        "--database-url=postgres://millrace:secret@db:5432/millrace",
        "--nats-url=nats://a:4222,nats://b:4222",
        "--listen=127.0.0.1:9000",
        "--allow-carrier-hosts=LOCALHOST:8090, sandbox",
        "--sandbox=1",
        "--log=json",
        "--log-filter=debug",
    ])
    .unwrap();
    assert_eq!(settings.public_url, "http://127.0.0.1:9000");
    assert_eq!(settings.carrier_hosts, ["localhost:8090", "sandbox"]);
    assert!(settings.sandbox && settings.need_nats().is_ok());
    assert_eq!(settings.log_format, LogFormat::Json);
    assert!(!format!("{settings:?}").contains("secret@"), "{settings:?}");
}

#[test]
fn a_host_that_is_built_in_is_added_to_those_that_are_named() {
    for (named, hosts) in [
        (None, vec!["127.0.0.1:8090"]),
        (Some(""), vec!["127.0.0.1:8090"]),
        (Some("carrier.test"), vec!["carrier.test", "127.0.0.1:8090"]),
    ] {
        let mut common = Common { allow_carrier_hosts: named.map(Into::into), ..Common::default() };
        common.allow_carrier_host("127.0.0.1:8090");
        assert_eq!(common.resolve().unwrap().carrier_hosts, hosts, "{named:?}");
    }
}

#[test]
fn the_sandbox_may_be_called_without_being_listed() {
    for (url, hosts) in [
        ("http://Sandbox:8090/", vec!["carrier.test", "sandbox:8090"]),
        ("https://sandbox", vec!["carrier.test", "sandbox:443"]),
        ("http://carrier.test:80", vec!["carrier.test", "carrier.test:80"]),
    ] {
        let flags = ["--allow-carrier-hosts=carrier.test", &format!("--sandbox-url={url}")];
        let settings = from_flags(&flags).unwrap();
        assert_eq!(settings.carrier_hosts, hosts, "{url}");
        assert_eq!(settings.sandbox_url.as_deref(), Some(url.trim_end_matches('/')));
    }
    assert!(mistake(&["--sandbox-url=sandbox:8090"]).contains("MILLRACE_SANDBOX_URL"));
    assert_eq!(Common::default().resolve().unwrap().sandbox_url, None);
}

#[test]
fn the_waits_around_a_carrier_call_take_fractions_of_seconds() {
    let settings = Common::default().resolve().unwrap();
    let waits = |settings: &Settings| {
        let waits = [Some(settings.call_by), Some(settings.request_timeout), settings.list_lag];
        waits.map(|wait| wait.map(|wait| wait.as_millis()))
    };
    assert_eq!(waits(&settings), [Some(200), Some(10_000), None]);
    let flags = ["--call-by=0.05", "--request-timeout=1.5", "--list-lag=0"];
    assert_eq!(waits(&from_flags(&flags).unwrap()), [Some(50), Some(1_500), Some(0)]);
    let empty = from_flags(&["--list-lag="]).unwrap();
    assert_eq!(empty.list_lag, None);
}

#[test]
fn a_process_has_256_carrier_calls_at_once_unless_set() {
    assert_eq!(Common::default().resolve().unwrap().carrier_calls, 256);
    assert_eq!(from_flags(&["--carrier-calls=16"]).unwrap().carrier_calls, 16);
}

#[test]
fn a_receipt_is_waited_for_ten_minutes_and_three_days_unless_set() {
    let waits = |settings: &Settings| {
        [settings.receipt_fetch, settings.receipt_horizon].map(|it| it.as_millis())
    };
    assert_eq!(waits(&Common::default().resolve().unwrap()), [600_000, 259_200_000]);
    let flags = ["--receipt-fetch=2.5", "--receipt-horizon=90"];
    assert_eq!(waits(&from_flags(&flags).unwrap()), [2_500, 90_000]);
}

#[test]
fn texts_are_kept_for_90_days_and_messages_for_400_unless_set() {
    let days = |settings: &Settings| {
        let kept = settings.retention;
        [kept.text, kept.messages, kept.import_rows].map(|kept| kept.as_hours() / 24)
    };
    assert_eq!(days(&Common::default().resolve().unwrap()), [90, 400, 30]);
    let flags = ["--retain-text=31d", "--retain-messages=31d", "--retain-import-rows=1d"];
    assert_eq!(days(&from_flags(&flags).unwrap()), [31, 31, 1]);

    let short = mistake(&["--retain-text=3d"]);
    assert_eq!(short, "MILLRACE_RETAIN_TEXT: '3d' must be days from 31d to 36525d, such as 90d");
    let unit = mistake(&["--retain-messages=400"]);
    assert!(unit.starts_with("MILLRACE_RETAIN_MESSAGES: '400' must be days"), "{unit}");
    let sooner = mistake(&["--retain-text=90d", "--retain-messages=60d"]);
    let expected = "MILLRACE_RETAIN_MESSAGES: must be at least MILLRACE_RETAIN_TEXT, which is 90d";
    assert_eq!(sooner, expected);
}

#[test]
fn a_doubt_lasts_three_days_at_most_unless_set() {
    assert_eq!(Common::default().resolve().unwrap().doubt_limit.as_secs(), 259_200);
    assert_eq!(from_flags(&["--doubt-limit=90.5"]).unwrap().doubt_limit.as_millis(), 90_500);
}

#[test]
fn an_empty_value_counts_as_none() {
    let settings = from_flags(&["--listen=", "--public-url= ", "--sandbox="]).unwrap();
    assert_eq!(settings.public_url, "http://127.0.0.1:8080");
    assert!(!settings.sandbox);
}

#[test]
fn each_mistake_is_one_line_that_names_the_setting_and_what_would_be_right() {
    let cases = [
        ("--database-url=mysql://hunter2@x", "DATABASE_URL: must look like postgres://"),
        ("--nats-url=http://hunter2@x", "NATS_URL: must look like nats://"),
        ("--listen=8080", "MILLRACE_LISTEN: '8080' is no address"),
        ("--public-url=ftp://x", "MILLRACE_PUBLIC_URL: 'ftp://x' must look like https://"),
        ("--public-url=https://user:pw@x", "MILLRACE_PUBLIC_URL: "),
        ("--allow-tool-hosts=https://x.test", "MILLRACE_ALLOW_TOOL_HOSTS: 'https://x.test'"),
        ("--allow-carrier-hosts=*.example.com", "MILLRACE_ALLOW_CARRIER_HOSTS: '*.example.com'"),
        ("--list-lag=-1", "MILLRACE_LIST_LAG: '-1' must be seconds from 0 to 3600, such as 30"),
        ("--list-lag=NaN", "MILLRACE_LIST_LAG: 'NaN' must be seconds"),
        ("--call-by=300", "MILLRACE_CALL_BY: '300' must be seconds from 0.01 to 5, such as 0.2"),
        (
            "--carrier-calls=3",
            "MILLRACE_CARRIER_CALLS: '3' must be a number of calls from 4 to 4096",
        ),
        ("--carrier-calls=many", "MILLRACE_CARRIER_CALLS: 'many' must be a number of calls"),
        ("--request-timeout=10s", "MILLRACE_REQUEST_TIMEOUT: '10s' must be seconds from 0.1 to 60"),
        (
            "--receipt-fetch=0",
            "MILLRACE_RECEIPT_FETCH: '0' must be seconds from 1 to 86400, such as",
        ),
        ("--doubt-limit=0", "MILLRACE_DOUBT_LIMIT: '0' must be seconds from 1 to 2592000"),
        ("--doubt-limit=40", "MILLRACE_DOUBT_LIMIT: must be longer than MILLRACE_REQUEST_TIMEOUT"),
        (
            "--receipt-horizon=3d",
            "MILLRACE_RECEIPT_HORIZON: '3d' must be seconds from 1 to 2592000",
        ),
        (
            "--receipt-horizon=600",
            "MILLRACE_RECEIPT_HORIZON: must be longer than MILLRACE_RECEIPT_",
        ),
        ("--counts-limit=999", "MILLRACE_COUNTS_LIMIT: '999' must be a number of groups from 1000"),
        ("--sandbox=yes", "MILLRACE_SANDBOX: 'yes' must be 0 or 1"),
        ("--log=xml", "MILLRACE_LOG: 'xml' must be json or pretty"),
        ("--log-filter=send=loud", "RUST_LOG: "),
    ];

    for (flag, expected) in cases {
        let line = mistake(&[flag]);
        assert!(line.starts_with(expected), "{flag}: {line}");
        let (setting, _) = expected.split_once(' ').unwrap();
        assert_eq!(line.matches(setting).count(), 1, "named once: {line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn one_address_cannot_serve_both_requests_and_health() {
    let line = mistake(&["--listen=127.0.0.1:9000", "--health-listen=127.0.0.1:9000"]);
    assert!(line.starts_with("MILLRACE_HEALTH_LISTEN: MILLRACE_LISTEN is 127.0.0.1:9000 too"));
    assert!(from_flags(&["--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0"]).is_ok());
}

#[test]
fn a_secret_comes_from_its_file_but_not_from_both() {
    let scratch = Scratch::new().unwrap();
    let file = scratch.path().join("key");
    std::fs::write(&file, format!("{}\n", key(1).expose_secret())).unwrap();
    let common = Common { master_key_file: Some(file.clone()), ..Common::default() };
    let settings = common.clone().resolve().unwrap();
    let keys = settings.need_master_keys().unwrap();
    assert_eq!(keys.newest().expose_secret(), &[1; 32]);

    let both = Common { master_key: Some(key(2)), ..common };
    let line = both.resolve().unwrap_err().to_string();
    assert_eq!(line, "MILLRACE_MASTER_KEY: MILLRACE_MASTER_KEY_FILE is set too: remove one");

    std::fs::write(&file, "\n").unwrap();
    let empty = Common { jwt_secret_file: Some(file), ..Common::default() };
    assert!(empty.resolve().unwrap_err().to_string().ends_with("is empty"));
}

#[test]
fn tokens_are_not_signed_with_the_key_that_encrypts_credentials() {
    let same = Common { master_key: Some(key(1)), jwt_secret: Some(key(1)), ..Common::default() };
    assert_eq!(same.resolve().unwrap_err().name, "MILLRACE_JWT_SECRET");

    let other = Common { master_key: Some(key(1)), jwt_secret: Some(key(2)), ..Common::default() };
    assert!(other.resolve().is_ok());
}

#[test]
fn help_names_each_setting_with_its_variable_and_never_a_secret_value() {
    let help = Cli::command().render_long_help().to_string();
    for variable in [
        "DATABASE_URL",
        "NATS_URL",
        "NATS_CREDS",
        "MILLRACE_LISTEN",
        "MILLRACE_HEALTH_LISTEN",
        "MILLRACE_PUBLIC_URL",
        "MILLRACE_MASTER_KEY",
        "MILLRACE_JWT_SECRET",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "MILLRACE_ALLOW_CARRIER_HOSTS",
        "MILLRACE_ALLOW_TOOL_HOSTS",
        "MILLRACE_SANDBOX",
        "MILLRACE_LOG",
        "RUST_LOG",
    ] {
        assert!(help.contains(&format!("[env: {variable}")), "{variable} is missing:\n{help}");
    }
    assert!(help.contains("[default: 127.0.0.1:8081]"), "{help}");
}
