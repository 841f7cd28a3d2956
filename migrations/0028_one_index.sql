-- One index for each look-up: an index beside the key begins with what it is for, not with the tenant.
-- Where both begin with the tenant, Postgres takes either for a whole key while the table is small, and
-- goes on reading all rows of the tenant while it grows (docs/adr/0005).

drop index messages_by_contact;
create index messages_by_contact on messages (contact_id);

drop index campaign_recipients_by_contact;
create index campaign_recipients_by_contact on campaign_recipients (contact_id);

drop index contact_addresses_by_contact;
create index contact_addresses_by_contact on contact_addresses (contact_id);

drop index consents_by_number;
create index consents_by_number on consents (number, tenant_id);

drop index inbound_texts_by_conversation;
create index inbound_texts_by_conversation on inbound_texts (conversation_id, received_at);

drop index ai_replies_by_conversation;
create index ai_replies_by_conversation on ai_replies (conversation_id, at);

drop index parked_by_number;
create index parked_by_number on parked ((payload -> 'head' ->> 'to'));

drop index audit_log_by_subject;
create index audit_log_by_subject on audit_log (subject, tenant_id, seq);
