ALTER TABLE "bulk_runs" DROP CONSTRAINT "bulk_runs_retry_has_org";--> statement-breakpoint
ALTER TABLE "bulk_runs" DROP CONSTRAINT "bulk_runs_kind_known";--> statement-breakpoint
ALTER TABLE "orgs" ADD COLUMN "deleting_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "bulk_runs" ADD CONSTRAINT "bulk_runs_has_org" CHECK (("bulk_runs"."kind" = 'replay') = ("bulk_runs"."org_id" is null));--> statement-breakpoint
ALTER TABLE "bulk_runs" ADD CONSTRAINT "bulk_runs_kind_known" CHECK ("bulk_runs"."kind" in ('replay', 'retry', 'delete'));