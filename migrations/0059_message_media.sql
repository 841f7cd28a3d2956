-- Messages with media: what a message is sent with beside its text, in order.

alter table messages
    add column media text[] check (cardinality(media) between 1 and 10); -- ids of `media`, or public addresses; null: none
