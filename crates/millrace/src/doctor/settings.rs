//! Whether the settings can be, each by itself and with each other.

use boot::settings::{Settings, SettingsError};

use super::report::Report;

pub(super) fn check(report: &mut Report, found: Option<&Settings>, wrong: &[SettingsError]) {
    for error in wrong {
        let fix = "correct it; the checks below go on without it";
        report.fail("settings", error, fix);
    }
    let Some(settings) = found else { return };
    if wrong.is_empty() {
        report.ok("settings", "each can be, and all of them together");
    }

    if settings.sandbox {
        let found = "MILLRACE_SANDBOX=1 lets the sandbox clock move the time of every process";
        report.warn("settings", found, "unset it where real people are texted");
    }
    if settings.public_url.starts_with("http://") && settings.names_public_url {
        let found = format!("MILLRACE_PUBLIC_URL is {}, without TLS", settings.public_url);
        report.warn("settings", found, "name the https:// address of a proxy before you go live");
    }
    if !settings.carrier_hosts.is_empty() {
        let found = format!("secrets may go to {} too", settings.carrier_hosts.join(", "));
        let fix = "unset MILLRACE_ALLOW_CARRIER_HOSTS before you go live";
        report.warn("settings", found, fix);
    }
    if !settings.media.hosts.is_empty() {
        let found =
            format!("tenants may have {} called for media", settings.media.hosts.join(", "));
        let fix = "unset MILLRACE_ALLOW_MEDIA_HOSTS unless these hosts are meant for all tenants";
        report.warn("settings", found, fix);
    }
    if settings.tool_hosts.iter().any(|host| has_port(host)) {
        let found = format!("assistants' tools may be at {}", settings.tool_hosts.join(", "));
        let fix = "name hosts in MILLRACE_ALLOW_TOOL_HOSTS with a port only where all tenants may \
                   have them called, whatever network they are in";
        report.warn("settings", found, fix);
    }
}

/// Whether an entry of a list of hosts names a port: such a server may be in any network.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}
