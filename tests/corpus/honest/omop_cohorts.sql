-- Cohort description on the Eunomia extract (OMOP common data model).

-- Number of persons by sex.
SELECT gender, count(*) AS persons FROM person GROUP BY gender;

-- Persons by sex and decade of birth.
SELECT gender, year_of_birth, count(DISTINCT pid) AS persons
FROM person
GROUP BY gender, year_of_birth
ORDER BY gender, year_of_birth;

-- Race and ethnicity of the cohort.
SELECT race, ethnicity, count(*) AS persons
FROM person
GROUP BY race, ethnicity
ORDER BY persons DESC;

-- Race by sex in per cent of the sex.
WITH cells AS (
    SELECT gender, race, count(*) AS n FROM person GROUP BY gender, race
), totals AS (
    SELECT gender, sum(n) AS total FROM cells GROUP BY gender
)
SELECT c.gender, c.race, c.n, round(100.0 * c.n / t.total, 1) AS percent
FROM cells c JOIN totals t ON t.gender = c.gender
ORDER BY c.gender, c.race;

-- Gastrointestinal haemorrhage (192671): patients by sex and decade of birth.
SELECT p.gender, p.year_of_birth, count(DISTINCT p.pid) AS patients
FROM person p
JOIN condition_occurrence co ON co.pid = p.pid
WHERE co.condition_concept_id = 192671
GROUP BY p.gender, p.year_of_birth
ORDER BY p.gender, p.year_of_birth;

-- The OHDSI exercise: new users of celecoxib (1118084) and diclofenac (1124300), and who of them bled afterwards.
WITH exposure AS (
    SELECT pid, drug_concept_id, min(drug_exposure_start_date) AS index_date
    FROM drug_exposure
    WHERE drug_concept_id IN (1118084, 1124300)
    GROUP BY pid, drug_concept_id
)
SELECT e.drug_concept_id,
       count(DISTINCT e.pid) AS exposed,
       count(DISTINCT co.pid) AS bled
FROM exposure e
LEFT JOIN condition_occurrence co
  ON co.pid = e.pid
 AND co.condition_concept_id = 192671
 AND co.condition_start_date >= e.index_date
GROUP BY e.drug_concept_id;

-- Persons with coronary arteriosclerosis, by age band at diagnosis and sex.
SELECT c.age, p.gender, count(DISTINCT c.pid) AS patients
FROM condition_occurrence c
JOIN person p ON p.pid = c.pid
WHERE c.condition_concept_id = 317576
GROUP BY c.age, p.gender
ORDER BY c.age, p.gender;

-- Persons without any hospital stay, by sex.
SELECT gender, count(*) AS never_admitted
FROM person p
WHERE NOT EXISTS (SELECT 1 FROM visit_occurrence v WHERE v.pid = p.pid)
GROUP BY gender;

-- Persons with osteoporosis but no bone density measurement.
SELECT count(DISTINCT c.pid) AS patients
FROM condition_occurrence c
LEFT JOIN measurement m ON m.pid = c.pid AND m.measurement_concept_id = 3049273
WHERE c.condition_concept_id = 80502 AND m.pid IS NULL;

-- Prevalence of chronic sinusitis per 100 persons by race.
SELECT p.race,
       count(DISTINCT p.pid) AS persons,
       count(DISTINCT CASE WHEN c.condition_concept_id = 257012 THEN p.pid END) AS cases,
       100.0 * count(DISTINCT CASE WHEN c.condition_concept_id = 257012 THEN p.pid END) / count(DISTINCT p.pid) AS per_hundred
FROM person p
LEFT JOIN condition_occurrence c ON c.pid = p.pid
GROUP BY p.race;

-- Cohort counts in one table: bleeding, stroke, infarction, hip fracture.
SELECT 'GI bleeding' AS cohort, count(DISTINCT pid) AS persons FROM condition_occurrence WHERE condition_concept_id = 192671
UNION ALL
SELECT 'stroke', count(DISTINCT pid) FROM condition_occurrence WHERE condition_concept_id = 381316
UNION ALL
SELECT 'myocardial infarction', count(DISTINCT pid) FROM condition_occurrence WHERE condition_concept_id = 4329847
UNION ALL
SELECT 'hip fracture', count(DISTINCT pid) FROM condition_occurrence WHERE condition_concept_id = 4230399;

-- Children given to hospital: stays of people under 18, by length.
SELECT visit_days, count(*) AS stays, count(DISTINCT pid) AS children
FROM visit_occurrence
WHERE age < 18
GROUP BY visit_days
ORDER BY visit_days;

-- Sex ratio by ethnicity.
SELECT ethnicity,
       count(*) AS n,
       1.0 * count(*) FILTER (WHERE gender = 'M') / nullif(count(*) FILTER (WHERE gender = 'F'), 0) AS men_per_woman
FROM person
GROUP BY ethnicity
ORDER BY n DESC;

-- People born before 1940 with both atrial fibrillation and a stroke.
SELECT p.gender, count(*) AS persons
FROM person p
WHERE p.year_of_birth < 1940
  AND p.pid IN (SELECT pid FROM condition_occurrence WHERE condition_concept_id = 313217)
  AND p.pid IN (SELECT pid FROM condition_occurrence WHERE condition_concept_id = 381316)
GROUP BY p.gender;
