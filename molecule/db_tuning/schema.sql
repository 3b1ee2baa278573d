-- The tables of the application that the ready index sets name, as Prisma makes them, with indexes they already have.
CREATE TYPE "SubmissionStatus" AS ENUM ('DRAFT', 'PENDING', 'PUBLISHED');
CREATE TABLE users (id text PRIMARY KEY, email text NOT NULL, role text NOT NULL);
CREATE UNIQUE INDEX users_email_key ON users (email);
CREATE INDEX users_role_idx ON users (role);
CREATE TABLE volunteer_submissions (
    id text PRIMARY KEY, status "SubmissionStatus" NOT NULL, priority int, "reviewerId" text,
    "createdAt" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX volunteer_submissions_status_idx ON volunteer_submissions (status);
CREATE TABLE reading_progress (id text PRIMARY KEY, "userId" text, "bookId" text);
CREATE UNIQUE INDEX "reading_progress_userId_bookId_key" ON reading_progress ("userId", "bookId");
CREATE TABLE books (
    id text PRIMARY KEY, "isPublished" boolean NOT NULL, language text, category text[],
    "createdAt" timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE entitlements (id text PRIMARY KEY, "userId" text, "bookId" text, "isActive" boolean);
INSERT INTO books SELECT g, g % 2 = 0, 'en', ARRAY['tale'] FROM generate_series(1, 5000) g;
