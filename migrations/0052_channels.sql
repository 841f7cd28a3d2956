-- Senders carry a channel: SMS, or WhatsApp. A message leaves by a sender of its own channel alone.

-- Written with the sender, by the carrier of its account (crates/carriers); the account stays the sender's.
alter table senders add column channel text not null default 'sms' check (channel in ('sms', 'whatsapp'));

-- What is registered with WhatsApp is its own id of the number: two systems may name one number differently, so that a
-- number has a sender of its own on each channel.
