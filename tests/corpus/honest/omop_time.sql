-- Trends and sequences on the Eunomia extract.

-- Hospital stays per decade.
SELECT CAST(extract(year FROM visit_start_date) AS INT) / 10 * 10 AS decade, count(*) AS stays, count(DISTINCT pid) AS persons
FROM visit_occurrence
GROUP BY 1
ORDER BY 1;

-- Viral sinusitis per calendar month of the year (seasonality).
SELECT extract(month FROM condition_start_date) AS month, count(*) AS cases
FROM condition_occurrence
WHERE condition_concept_id = 40481087
GROUP BY 1
ORDER BY 1;

-- Conditions per year since 2000.
SELECT date_part('year', condition_start_date) AS year, count(*) AS conditions, count(DISTINCT pid) AS persons
FROM condition_occurrence
WHERE condition_start_date >= DATE '2000-01-01'
GROUP BY date_part('year', condition_start_date)
ORDER BY year;

-- Zoster vaccinations per year and sex since 2005.
SELECT extract(year FROM d.drug_exposure_start_date) AS year, p.gender, count(*) AS doses
FROM drug_exposure d JOIN person p ON p.pid = d.pid
WHERE d.drug_concept_id = 40213260 AND d.drug_exposure_start_date >= DATE '2005-01-01'
GROUP BY 1, 2
ORDER BY 1, 2;

-- First gastrointestinal bleeding by calendar year.
SELECT extract(year FROM first_date) AS year, count(*) AS persons
FROM (
    SELECT pid, min(condition_start_date) AS first_date
    FROM condition_occurrence
    WHERE condition_concept_id = 192671
    GROUP BY pid
) f
GROUP BY 1
ORDER BY 1;

-- Time from the first celecoxib to bleeding in half years.
SELECT floor((extract(epoch FROM b.t) - extract(epoch FROM d.t)) / (86400 * 182.5)) AS half_years, count(*) AS persons
FROM (SELECT pid, min(drug_exposure_start_date) AS t FROM drug_exposure WHERE drug_concept_id = 1118084 GROUP BY pid) d
JOIN (SELECT pid, min(condition_start_date) AS t FROM condition_occurrence WHERE condition_concept_id = 192671 GROUP BY pid) b
  ON b.pid = d.pid AND b.t >= d.t
GROUP BY 1
ORDER BY 1;

-- Which condition comes first in a life?
SELECT k.concept_name, count(*) AS persons
FROM (
    SELECT pid, condition_concept_id,
           row_number() OVER (PARTITION BY pid ORDER BY condition_start_date, condition_concept_id) AS nr
    FROM condition_occurrence
) f
JOIN concept k ON k.concept_id = f.condition_concept_id
WHERE f.nr = 1
GROUP BY k.concept_name
ORDER BY persons DESC;

-- Readmission: persons with a second stay within twelve months.
SELECT count(DISTINCT a.pid) AS readmitted
FROM visit_occurrence a
JOIN visit_occurrence b
  ON a.pid = b.pid
 AND b.visit_start_date > a.visit_start_date
 AND b.visit_start_date <= a.visit_start_date + INTERVAL '12 months';

-- Conditions in the year before a hospital stay: mean number.
SELECT avg(n) AS mean_conditions, stddev(n) AS sd, count(*) AS persons
FROM (
    SELECT v.pid, count(*) AS n
    FROM visit_occurrence v
    JOIN condition_occurrence c
      ON c.pid = v.pid
     AND c.condition_start_date BETWEEN v.visit_start_date - INTERVAL '1 year' AND v.visit_start_date
    GROUP BY v.pid
) t;

-- Running total of persons who ever had a stroke, by year.
SELECT year, strokes, sum(strokes) OVER (ORDER BY year) AS cumulative
FROM (
    SELECT extract(year FROM condition_start_date) AS year, count(DISTINCT pid) AS strokes
    FROM condition_occurrence
    WHERE condition_concept_id = 381316
    GROUP BY 1
) y
ORDER BY year;

-- Length of stay by year of admission since 1990, mean and maximum.
SELECT extract(year FROM visit_start_date) AS year, avg(visit_days) AS mean_days, max(visit_days) AS longest, count(*) AS stays
FROM visit_occurrence
WHERE visit_start_date >= DATE '1990-01-01'
GROUP BY 1
HAVING count(*) >= 10
ORDER BY 1;

-- Survival table: persons by years from infarction (4329847) to cardiac arrest (321042).
SELECT extract(year FROM a.condition_start_date) - extract(year FROM m.condition_start_date) AS years, count(DISTINCT m.pid) AS persons
FROM condition_occurrence m
JOIN condition_occurrence a ON a.pid = m.pid AND a.condition_start_date >= m.condition_start_date
WHERE m.condition_concept_id = 4329847 AND a.condition_concept_id = 321042
GROUP BY 1
ORDER BY 1;
