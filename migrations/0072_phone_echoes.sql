-- What people of the company write on the phone that has the number itself stands in the conversation (docs/adr/0029).
alter table conversation_entries
    add column sender_id uuid,                   -- of what was written on the phone: whose number it is; null: all others
    drop constraint conversation_entries_kind_check,
    add constraint conversation_entries_kind_check check (kind in ('note', 'act', 'reply', 'phone'));
