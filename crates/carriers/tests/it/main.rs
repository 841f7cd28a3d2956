//! The carriers' clients against a small server that plays answers, and the codecs against the
//! providers' own vectors.

mod anthropic;
mod bandwidth_answers;
mod bandwidth_cases;
mod bandwidth_numbers;
mod bandwidth_records;
mod bandwidth_webhook;
mod play;
mod redaction;
mod signature;
mod tools;
mod twilio_answers;
mod twilio_faults;
mod twilio_keywords;
mod twilio_numbers;
mod twilio_records;
mod twilio_request;
mod twilio_webhook;
mod whatever_comes;
mod whatsapp_answers;
mod whatsapp_cases;
mod whatsapp_echoes;
mod whatsapp_numbers;
mod whatsapp_templates;
mod whatsapp_webhook;
