-- Alerts and what was told of them are cut to the servers that a reader may see, as every other row of a server is. What is about no server is
-- about everybody's house.

alter table holdfast.alerts enable row level security;
create policy seen on holdfast.alerts using (server_id is null or holdfast.sees(server_id)) with check (true);
alter table holdfast.deliveries enable row level security;
create policy seen on holdfast.deliveries
  using (coalesce(current_setting('holdfast.visible', true), '') = '' or exists (select from holdfast.alerts a where a.id = alert_id))
  with check (true);
