-- Notes and acts of a conversation are counted before one more is written, and replies are not: their index is all that
-- is read. Without it the count reads each reply of a long conversation.
create index conversation_entries_counted on conversation_entries (conversation_id, tenant_id) where kind in ('note', 'act');
