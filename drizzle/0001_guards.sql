-- Expired is final: no statement, ours or a human's, takes a chatroom or contact back or moves its expiry.
CREATE FUNCTION expired_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% % is expired, and expired is final', TG_TABLE_NAME, OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'expired_is_final';
END $$;
--> statement-breakpoint
CREATE TRIGGER chatrooms_expired_is_final BEFORE UPDATE OF expired_at ON chatrooms FOR EACH ROW
  WHEN (OLD.expired_at IS NOT NULL AND NEW.expired_at IS DISTINCT FROM OLD.expired_at)
  EXECUTE FUNCTION expired_is_final();
--> statement-breakpoint
CREATE TRIGGER contacts_expired_is_final BEFORE UPDATE OF expired_at ON contacts FOR EACH ROW
  WHEN (OLD.expired_at IS NOT NULL AND NEW.expired_at IS DISTINCT FROM OLD.expired_at)
  EXECUTE FUNCTION expired_is_final();
--> statement-breakpoint
-- Every inbox row is soon deleted: vacuum early by row count, not by share of the table.
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_vacuum_cost_delay = 0);
--> statement-breakpoint
-- last_inbound_at moves with every message and no index has it: leave room for HOT updates.
ALTER TABLE chatrooms SET (fillfactor = 80);
