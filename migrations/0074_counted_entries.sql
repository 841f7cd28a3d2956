-- Notes and acts of a conversation are counted before one more is written, and nothing else is: their index is all that
-- is read. Without it the count reads every entry of a long conversation.
create index conversation_entries_counted on conversation_entries (conversation_id, tenant_id) where kind in ('note', 'act');
