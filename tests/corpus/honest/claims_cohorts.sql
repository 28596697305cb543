-- Cohort description and prevalence on the generated claims.

-- How many people are insured, by sex and decade of birth?
SELECT sex, birth_year, count(*) AS persons
FROM persons
GROUP BY sex, birth_year
ORDER BY sex, birth_year;

-- How large is the population, and how many of them had at least one claim?
SELECT count(DISTINCT p.pid) AS insured, count(DISTINCT c.pid) AS with_claim
FROM persons p
LEFT JOIN claims c ON c.pid = p.pid;

-- Table 1 of a hypertension study: people with I10 by sex and decade of birth.
SELECT p.sex, p.birth_year, count(DISTINCT p.pid) AS patients, count(*) AS claims
FROM persons p
JOIN claims c ON c.pid = p.pid
WHERE c.icd10 = 'I10'
GROUP BY p.sex, p.birth_year
ORDER BY 1, 2;

-- What is the period prevalence of type 2 diabetes in the fiscal year 2023, by sex?
SELECT p.sex,
       count(DISTINCT c.pid) AS cases,
       count(DISTINCT p.pid) AS population,
       round(100.0 * count(DISTINCT c.pid) / count(DISTINCT p.pid), 2) AS prevalence_percent
FROM persons p
LEFT JOIN claims c
  ON c.pid = p.pid
 AND c.icd10 = 'E11'
 AND c.claim_month BETWEEN DATE '2023-04-01' AND DATE '2024-03-01'
GROUP BY p.sex;

-- How common are the chapters of ICD-10, by number of patients?
SELECT substr(icd10, 1, 1) AS chapter, count(DISTINCT pid) AS patients, count(*) AS claims
FROM claims
GROUP BY substr(icd10, 1, 1)
ORDER BY patients DESC;

-- Which twenty diagnoses bring the most people to a doctor?
SELECT icd10, count(DISTINCT pid) AS patients
FROM claims
GROUP BY icd10
ORDER BY patients DESC
LIMIT 20;

-- How many people have any malignant neoplasm, by birth cohort and sex?
SELECT p.birth_year, p.sex, count(DISTINCT p.pid) AS patients
FROM claims AS c
INNER JOIN persons AS p USING (pid)
WHERE c.icd10 LIKE 'C%'
GROUP BY p.birth_year, p.sex
ORDER BY p.birth_year, p.sex;

-- Prevalence of mental disorders per 1,000 insured, by age group in 2023.
WITH base AS (
    SELECT pid, sex,
           CASE WHEN birth_year >= 2010 THEN '0-14'
                WHEN birth_year >= 1980 THEN '15-44'
                WHEN birth_year >= 1960 THEN '45-64'
                ELSE '65+' END AS age_group
    FROM persons
), cases AS (
    SELECT DISTINCT pid FROM claims WHERE icd10 BETWEEN 'F00' AND 'F99'
)
SELECT b.age_group, b.sex,
       count(*) AS n,
       count(k.pid) AS cases,
       1000.0 * count(k.pid) / count(*) AS per_thousand
FROM base b
LEFT JOIN cases k ON k.pid = b.pid
GROUP BY b.age_group, b.sex
ORDER BY b.age_group, b.sex;

-- How many people never had a claim, by sex and birth cohort?
SELECT p.sex, p.birth_year, count(*) AS never_seen
FROM persons p
WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.pid = p.pid)
GROUP BY p.sex, p.birth_year;

-- How many of the people with heart failure are women?
SELECT count(DISTINCT p.pid) AS patients,
       count(DISTINCT p.pid) FILTER (WHERE p.sex = 'F') AS women,
       count(DISTINCT p.pid) FILTER (WHERE p.sex = 'M') AS men
FROM persons p
JOIN claims c ON p.pid = c.pid
WHERE c.icd10 = 'I50';

-- People of the employees' associations (insurer number 06 or 01 cannot be told here): persons per insurer.
SELECT insurer, count(*) AS persons
FROM persons
GROUP BY insurer
HAVING count(*) >= 100
ORDER BY persons DESC;

-- How many insurers are there, and how many people does one insure on average?
SELECT count(*) AS insurers, avg(persons) AS mean_size, min(persons) AS smallest, max(persons) AS largest
FROM (SELECT insurer, count(*) AS persons FROM persons GROUP BY insurer) AS i;

-- Flow chart of a cohort: everyone, adults, adults with asthma, adults with asthma and an inhaled drug.
SELECT 'all' AS step, count(*) AS n FROM persons
UNION ALL
SELECT 'adults', count(*) FROM persons WHERE birth_year <= 2000
UNION ALL
SELECT 'adults with asthma', count(DISTINCT p.pid)
FROM persons p JOIN claims c USING (pid) WHERE p.birth_year <= 2000 AND c.icd10 = 'J45'
UNION ALL
SELECT 'adults with asthma and an inhaled drug', count(DISTINCT p.pid)
FROM persons p JOIN claims c USING (pid)
WHERE p.birth_year <= 2000 AND c.icd10 = 'J45' AND (c.yj LIKE '2259%' OR c.yj LIKE '2290%');
