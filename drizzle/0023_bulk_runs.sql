CREATE TABLE "bulk_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"org_id" text,
	"filter" json NOT NULL,
	"actor" text NOT NULL,
	"total" integer,
	"done" integer DEFAULT 0 NOT NULL,
	"refused" json DEFAULT '{}'::json NOT NULL,
	"place" json,
	"last_id" bigint DEFAULT 0 NOT NULL,
	"runner" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"beat_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"outcome" text,
	CONSTRAINT "bulk_runs_kind_known" CHECK ("bulk_runs"."kind" in ('replay', 'retry')),
	CONSTRAINT "bulk_runs_ends_with_outcome" CHECK (("bulk_runs"."ended_at" is null) = ("bulk_runs"."outcome" is null)),
	CONSTRAINT "bulk_runs_retry_has_org" CHECK (("bulk_runs"."kind" = 'retry') = ("bulk_runs"."org_id" is not null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "bulk_runs_one_open" ON "bulk_runs" USING btree ("kind",coalesce(org_id, '')) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "bulk_runs_latest" ON "bulk_runs" USING btree ("kind","created_at");--> statement-breakpoint
CREATE INDEX "bulk_runs_ended" ON "bulk_runs" USING btree ("ended_at");