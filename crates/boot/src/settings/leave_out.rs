//! Settings that are wrong, one after another: for who wants to know all of them, and go on with
//! the rest.

use super::{Common, MediaStore, Settings, SettingsError};

impl Common {
    /// Resolves what is right of the settings, with everything that is wrong left out. None where
    /// something is wrong that cannot be left out; the last error says what.
    pub fn resolve_what_is_right(mut self) -> (Option<Settings>, Vec<SettingsError>) {
        let mut wrong: Vec<SettingsError> = Vec::new();
        loop {
            match self.clone().resolve() {
                Ok(settings) => return (Some(settings), wrong),
                Err(error) => {
                    let is_again = wrong.iter().any(|before| before.name == error.name);
                    let left_out = self.leave_out(&error.name);
                    wrong.push(error);
                    if is_again || !left_out {
                        return (None, wrong);
                    }
                }
            }
        }
    }

    /// Forgets the setting of this variable, and the file that it may come from. False where there
    /// is no such setting.
    fn leave_out(&mut self, name: &str) -> bool {
        match name.trim_end_matches("_FILE") {
            "DATABASE_URL" => (self.database_url, self.database_url_file) = (None, None),
            "NATS_URL" => (self.nats_url, self.nats_url_file) = (None, None),
            "NATS_CREDS" => self.nats_creds = None,
            "NATS_SUBSCRIBER_KEY" => {
                (self.nats_subscriber_key, self.nats_subscriber_key_file) = (None, None);
            }

            "MILLRACE_LISTEN" => self.listen = None,
            "MILLRACE_HEALTH_LISTEN" => self.health_listen = None,
            "MILLRACE_PUBLIC_URL" => self.public_url = None,
            "MILLRACE_TLS_CERT" => self.edge.tls_cert = None,
            "MILLRACE_TLS_KEY" => self.edge.tls_key = None,
            "MILLRACE_TRUSTED_PROXIES" => self.edge.trusted_proxies = None,
            "MILLRACE_CORS_ORIGINS" => self.edge.cors_origins = None,
            "MILLRACE_SMTP_URL" | "MILLRACE_MAIL_FROM" => {
                (self.sign_in.smtp_url, self.sign_in.smtp_url_file) = (None, None);
                self.sign_in.mail_from = None;
            }
            "MILLRACE_CODES_TENANT" => self.sign_in.codes_tenant = None,
            "MILLRACE_SIGN_UP" => self.sign_in.sign_up = None,
            "MILLRACE_MEDIA_URL"
            | "MILLRACE_MEDIA_ENDPOINT"
            | "MILLRACE_MEDIA_REGION"
            | "MILLRACE_MEDIA_KEY_ID"
            | "MILLRACE_MEDIA_SECRET" => {
                let allow_media_hosts = self.media.allow_media_hosts.take();
                self.media = MediaStore { allow_media_hosts, ..MediaStore::default() };
            }
            "MILLRACE_ALLOW_MEDIA_HOSTS" => self.media.allow_media_hosts = None,

            "MILLRACE_MASTER_KEY" => (self.master_key, self.master_key_file) = (None, None),
            "MILLRACE_JWT_SECRET" => (self.jwt_secret, self.jwt_secret_file) = (None, None),
            "ANTHROPIC_API_KEY" => {
                (self.anthropic_api_key, self.anthropic_api_key_file) = (None, None);
            }
            "ANTHROPIC_BASE_URL" => self.anthropic_base_url = None,

            "MILLRACE_ALLOW_CARRIER_HOSTS" => self.allow_carrier_hosts = None,
            "MILLRACE_ALLOW_TOOL_HOSTS" => self.allow_tool_hosts = None,
            "MILLRACE_SANDBOX_URL" => self.sandbox_url = None,
            "MILLRACE_ACK_WAIT" => self.ack_wait = None,
            "MILLRACE_STREAM_REPLICAS" => self.stream_replicas = None,
            "MILLRACE_STREAM_SIZES" => self.stream_sizes = None,
            "MILLRACE_CALL_BY" => self.call_by = None,
            "MILLRACE_CARRIER_CALLS" => self.carrier_calls = None,
            "MILLRACE_REQUEST_TIMEOUT" => self.request_timeout = None,
            "MILLRACE_LIST_LAG" => self.list_lag = None,
            "MILLRACE_DOUBT_LIMIT" => self.doubt_limit = None,
            "MILLRACE_RECEIPT_FETCH" => self.receipt_fetch = None,
            "MILLRACE_RECEIPT_HORIZON" => self.receipt_horizon = None,

            "MILLRACE_RETAIN_TEXT" => self.retain_text = None,
            "MILLRACE_RETAIN_MESSAGES" => self.retain_messages = None,
            "MILLRACE_RETAIN_IMPORT_ROWS" => self.retain_import_rows = None,
            "MILLRACE_COUNTS_LIMIT" => self.counts_limit = None,
            "MILLRACE_SANDBOX" => self.sandbox = None,
            "MILLRACE_LOG" => self.log = None,
            "RUST_LOG" => self.log_filter = None,

            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::*;

    #[test]
    fn everything_that_is_wrong_is_told_and_the_rest_is_used() {
        let common = Common {
            ack_wait: Some("soon".into()),
            nats_url: Some("nowhere".into()),
            receipt_fetch: Some("86400".into()),
            receipt_horizon: Some("10".into()),
            public_url: Some("https://sms.example.com".into()),
            ..Common::default()
        };

        let (settings, wrong) = common.resolve_what_is_right();
        let names: Vec<&str> = wrong.iter().map(|error| error.name.as_ref()).collect();
        assert_eq!(names, ["NATS_URL", "MILLRACE_ACK_WAIT", "MILLRACE_RECEIPT_HORIZON"]);
        let settings = settings.expect("the rest");
        assert_eq!(settings.public_url, "https://sms.example.com");
        assert_eq!(settings.receipt_fetch.as_secs(), 86_400);
    }

    #[test]
    fn every_setting_can_be_left_out() {
        let command = Common::augment_args(clap::Command::new("millrace"));
        let variables = command.get_arguments().filter_map(|argument| argument.get_env());
        let mut known = 0;
        for variable in variables.filter_map(|variable| variable.to_str()) {
            assert!(Common::default().leave_out(variable), "{variable}");
            known += 1;
        }
        assert!(known > 20, "{known}");
    }
}
