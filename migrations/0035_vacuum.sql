-- Dead rows of the largest tables go within a minute after a snapshot that was held for long: at its default pace
-- autovacuum takes minutes for a million of them, and has to begin anew where the snapshot was still there when it began.
-- As fast as the disk for those alone; 2,000 is what may be spent before each pause of 2 ms (a page that is written costs 20).
alter table messages set (autovacuum_vacuum_cost_limit = 2000);
alter table standings set (autovacuum_vacuum_cost_limit = 2000);
alter table moved_counts set (autovacuum_vacuum_cost_limit = 2000);
