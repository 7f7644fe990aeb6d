CREATE TABLE "last_calls" (
	"org_id" text NOT NULL,
	"customer_id" uuid NOT NULL,
	"waba_phone_id" text NOT NULL,
	"called_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "last_calls_pkey" PRIMARY KEY("org_id","customer_id","waba_phone_id")
);
