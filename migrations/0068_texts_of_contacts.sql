-- What somebody has written, the newest first, for the timeline of a contact. Begins with what it is for (0028).
create index inbound_texts_by_contact on inbound_texts (contact_id, received_at, inbound_id);
