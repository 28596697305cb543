-- Trends, first events and times between events on the generated claims.

-- Claims, patients and points per month.
SELECT claim_month, count(*) AS claims, count(DISTINCT pid) AS patients, sum(points) AS points
FROM claims
GROUP BY claim_month
ORDER BY claim_month;

-- Claims per quarter and sex.
SELECT date_trunc('quarter', c.claim_month) AS quarter, p.sex, count(*) AS claims
FROM claims c JOIN persons p ON p.pid = c.pid
GROUP BY 1, 2
ORDER BY 1, 2;

-- COVID-19 (U07) by month.
SELECT date_trunc('month', claim_month) AS month, count(DISTINCT pid) AS patients
FROM claims
WHERE icd10 = 'U07'
GROUP BY 1
ORDER BY 1;

-- Cost per calendar year and chapter of ICD-10.
SELECT extract(year FROM claim_month) AS year, substr(icd10, 1, 1) AS chapter, sum(points) AS points
FROM claims
GROUP BY 1, 2
ORDER BY 1, 2;

-- Month-on-month change in the number of claims.
SELECT claim_month, claims, claims - lag(claims) OVER (ORDER BY claim_month) AS change
FROM (SELECT claim_month, count(*) AS claims FROM claims GROUP BY claim_month) m
ORDER BY claim_month;

-- Three-month moving average of points.
SELECT claim_month,
       avg(points) OVER (ORDER BY claim_month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS smoothed
FROM (SELECT claim_month, sum(points) AS points FROM claims GROUP BY claim_month) m
ORDER BY claim_month;

-- Incidence of diabetes: first claim with E11 by month, after a year without any.
WITH first_claim AS (
    SELECT pid, min(claim_month) AS first_month
    FROM claims
    WHERE icd10 = 'E11'
    GROUP BY pid
)
SELECT first_month, count(*) AS new_cases
FROM first_claim
WHERE first_month >= DATE '2024-04-01'
GROUP BY first_month
ORDER BY first_month;

-- New strokes (I61, I63) per quarter and sex.
SELECT date_trunc('quarter', f.first_month) AS quarter, p.sex, count(*) AS strokes
FROM (SELECT pid, min(claim_month) AS first_month FROM claims WHERE icd10 IN ('I61', 'I63') GROUP BY pid) f
JOIN persons p ON p.pid = f.pid
GROUP BY 1, 2
ORDER BY 1, 2;

-- Time from the first hypertension claim to the first stroke, in months.
WITH htn AS (
    SELECT pid, min(claim_month) AS t0 FROM claims WHERE icd10 = 'I10' GROUP BY pid
), stroke AS (
    SELECT pid, min(claim_month) AS t1 FROM claims WHERE icd10 IN ('I61', 'I63') GROUP BY pid
)
SELECT (extract(year FROM s.t1) - extract(year FROM h.t0)) * 12
       + extract(month FROM s.t1) - extract(month FROM h.t0) AS months,
       count(*) AS patients
FROM htn h
JOIN stroke s ON s.pid = h.pid
WHERE s.t1 >= h.t0
GROUP BY 1
ORDER BY 1;

-- First diagnosis of each person in the data, by chapter.
SELECT substr(icd10, 1, 1) AS chapter, count(*) AS persons
FROM (
    SELECT pid, icd10, row_number() OVER (PARTITION BY pid ORDER BY claim_month, icd10) AS nr
    FROM claims
) ordered
WHERE nr = 1
GROUP BY 1
ORDER BY persons DESC;

-- Return within the next month after an admission of ten days or more for pneumonia.
SELECT count(DISTINCT a.pid) AS admitted, count(DISTINCT b.pid) AS seen_next_month
FROM claims a
LEFT JOIN claims b
  ON b.pid = a.pid
 AND b.claim_month = a.claim_month + INTERVAL '1 month'
WHERE a.icd10 = 'J18' AND a.days >= 10;

-- Follow-up: number of months with any claim per person, mean by sex and birth cohort.
SELECT p.sex, p.birth_year, avg(t.months) AS mean_months, stddev(t.months) AS sd_months, count(*) AS persons
FROM (SELECT pid, count(DISTINCT claim_month) AS months FROM claims GROUP BY pid) t
JOIN persons p USING (pid)
GROUP BY p.sex, p.birth_year;

-- Winter and summer: mean number of claims per month of the year.
SELECT extract(month FROM claim_month) AS month_of_year, count(*) / 2.0 AS claims_per_month
FROM claims
GROUP BY extract(month FROM claim_month)
ORDER BY 1;

-- Gap to the next claim of the same person (months), distribution.
SELECT gap, count(*) AS pairs
FROM (
    SELECT pid,
           (extract(year FROM next_month) - extract(year FROM claim_month)) * 12
           + extract(month FROM next_month) - extract(month FROM claim_month) AS gap
    FROM (
        SELECT pid, claim_month, lead(claim_month) OVER (PARTITION BY pid ORDER BY claim_month) AS next_month
        FROM claims
    ) c
    WHERE next_month IS NOT NULL
) g
GROUP BY gap
ORDER BY gap;
