-- Utilisation and cost on the generated claims. A point is ten yen.

-- What do health services cost in total, per claim and per patient?
SELECT count(*) AS claims,
       count(DISTINCT pid) AS patients,
       sum(points) * 10 AS yen,
       avg(points) AS points_per_claim,
       sum(points) / count(DISTINCT pid) AS points_per_patient
FROM claims;

-- Points and days by birth cohort and sex.
SELECT p.birth_year, p.sex, sum(c.points) AS points, sum(c.days) AS days, count(*) AS claims
FROM claims c JOIN persons p ON p.pid = c.pid
GROUP BY p.birth_year, p.sex
ORDER BY p.birth_year, p.sex;

-- Which ten diagnoses cost most?
SELECT icd10, sum(points) AS points, count(DISTINCT pid) AS patients
FROM claims
GROUP BY icd10
ORDER BY points DESC
LIMIT 10;

-- Mean cost of a claim, with its standard deviation, by chapter of ICD-10.
SELECT left(icd10, 1) AS chapter, avg(points) AS mean_points, stddev(points) AS sd_points, count(*) AS n
FROM claims
GROUP BY 1
ORDER BY 1;

-- Median and quartiles of points per claim, by sex.
SELECT p.sex,
       approx_percentile_cont(0.25) WITHIN GROUP (ORDER BY c.points) AS q1,
       median(c.points) AS median,
       approx_percentile_cont(0.75) WITHIN GROUP (ORDER BY c.points) AS q3
FROM claims c JOIN persons p USING (pid)
GROUP BY p.sex;

-- How many claims does a person have in two years (distribution)?
SELECT n_claims, count(*) AS persons
FROM (SELECT pid, count(*) AS n_claims FROM claims GROUP BY pid) t
GROUP BY n_claims
ORDER BY n_claims;

-- Frequent attenders: how many people have more than 48 claims in two years, and what share of points do they use?
WITH per_person AS (
    SELECT pid, count(*) AS n, sum(points) AS points
    FROM claims
    GROUP BY pid
)
SELECT CASE WHEN n > 48 THEN 'frequent' ELSE 'other' END AS attender,
       count(*) AS persons,
       sum(points) AS points,
       avg(n) AS mean_claims
FROM per_person
GROUP BY 1;

-- Average cost per insured person (those without claims count as zero), by sex and birth cohort.
SELECT p.sex, p.birth_year, avg(coalesce(t.points, 0)) AS mean_points, count(*) AS persons
FROM persons p
LEFT JOIN (SELECT pid, sum(points) AS points FROM claims GROUP BY pid) t ON t.pid = p.pid
GROUP BY p.sex, p.birth_year
ORDER BY p.sex, p.birth_year;

-- Long treatment: share of claims with more than 15 days of treatment in the month, by diagnosis with at least 500 claims.
SELECT icd10,
       count(*) AS claims,
       sum(CASE WHEN days > 15 THEN 1 ELSE 0 END) AS long_claims,
       100.0 * sum(CASE WHEN days > 15 THEN 1 ELSE 0 END) / count(*) AS percent_long
FROM claims
GROUP BY icd10
HAVING count(*) >= 500
ORDER BY percent_long DESC;

-- Cost bands: how many claims and how many points lie in each?
SELECT CASE WHEN points < 500 THEN '1: below 500'
            WHEN points < 1000 THEN '2: 500-999'
            WHEN points < 5000 THEN '3: 1,000-4,999'
            WHEN points < 50000 THEN '4: 5,000-49,999'
            ELSE '5: 50,000 and more' END AS band,
       count(*) AS claims, sum(points) AS points, count(DISTINCT pid) AS patients
FROM claims
GROUP BY band
ORDER BY band;

-- How concentrated are costs: patients by decile of their total points.
SELECT decile, count(*) AS patients, sum(points) AS points
FROM (
    SELECT pid, points, ntile(10) OVER (ORDER BY points) AS decile
    FROM (SELECT pid, sum(points) AS points FROM claims GROUP BY pid) per_patient
) ranked
GROUP BY decile
ORDER BY decile;

-- How many facilities does a patient visit?
SELECT facilities, count(*) AS patients
FROM (SELECT pid, count(DISTINCT facility) AS facilities FROM claims GROUP BY pid) AS f
GROUP BY facilities
ORDER BY facilities;

-- Points per day of treatment for inpatient-like claims (ten days and more), by sex.
SELECT p.sex, sum(c.points) AS points, sum(c.days) AS days, sum(c.points) / sum(c.days) AS points_per_day
FROM claims c
JOIN persons p ON p.pid = c.pid
WHERE c.days >= 10
GROUP BY p.sex;

-- Smallest, largest and mean claim in dialysis-dependent kidney disease.
SELECT min(points) AS least, max(points) AS most, avg(points) AS mean, count(DISTINCT pid) AS patients
FROM claims
WHERE icd10 = 'N18';

-- Size of facilities: claims and distinct patients in the twenty busiest.
SELECT facility, count(*) AS claims, count(DISTINCT pid) AS patients, sum(points) AS points
FROM claims
GROUP BY facility
ORDER BY claims DESC
LIMIT 20;

-- Distribution of facilities by number of patients.
SELECT CASE WHEN patients < 10 THEN 'under 10' WHEN patients < 50 THEN '10-49' WHEN patients < 200 THEN '50-199' ELSE '200+' END AS size,
       count(*) AS facilities
FROM (SELECT facility, count(DISTINCT pid) AS patients FROM claims GROUP BY facility) AS per_facility
GROUP BY 1;
