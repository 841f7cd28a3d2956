//! What tenants and operators set up: accounts, senders, templates, policies, budgets, switches,
//! API keys, event consumers.

pub mod accounts;
pub mod api_keys;
pub mod archive;
pub mod assistant;
pub mod assistant_tools;
pub mod brands;
pub mod budgets;
pub mod carrier_templates;
pub mod event_consumers;
pub mod health;
pub mod inboxes;
pub mod limits;
pub mod numbers;
pub mod platform_accounts;
pub mod platform_switch;
pub mod policies;
pub mod pools;
pub mod public_url;
pub mod sealed;
pub mod sender_status;
pub mod senders;
pub mod switches;
pub mod templates;
pub mod tenants;
pub mod twins;
pub mod whatsapp_rates;
