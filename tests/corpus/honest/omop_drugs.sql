-- Drugs, vaccines and measurements on the Eunomia extract.

-- The most prescribed drugs by name.
SELECT k.concept_name, count(*) AS exposures, count(DISTINCT d.pid) AS users
FROM drug_exposure d
JOIN concept k ON k.concept_id = d.drug_concept_id
GROUP BY k.concept_name
ORDER BY exposures DESC
LIMIT 25;

-- Prescriptions and vaccinations per age band.
SELECT age, drug_type_concept_id, count(*) AS n, count(DISTINCT pid) AS persons
FROM drug_exposure
GROUP BY age, drug_type_concept_id
ORDER BY age, drug_type_concept_id;

-- Days of supply of analgesics per user.
SELECT k.concept_name, sum(d.days_supply) AS days, count(DISTINCT d.pid) AS users, sum(d.days_supply) / count(DISTINCT d.pid) AS days_per_user
FROM drug_exposure d
JOIN concept k ON k.concept_id = d.drug_concept_id
WHERE k.concept_name LIKE '%Acetaminophen%' OR k.concept_name LIKE '%Ibuprofen%' OR k.concept_name LIKE '%Naproxen%'
GROUP BY k.concept_name
ORDER BY days DESC;

-- Mean and standard deviation of days supplied by drug class of the vocabulary.
SELECT k.concept_class_id, avg(d.days_supply) AS mean_days, stddev(d.days_supply) AS sd_days, count(*) AS n
FROM drug_exposure d
JOIN concept k ON k.concept_id = d.drug_concept_id
GROUP BY k.concept_class_id
ORDER BY n DESC;

-- Opioids after an injury: users by sex.
SELECT p.gender, count(DISTINCT d.pid) AS users
FROM drug_exposure d
JOIN person p ON p.pid = d.pid
JOIN concept k ON k.concept_id = d.drug_concept_id
WHERE k.concept_name ~ '(Hydrocodone|Oxycodone|Meperidine|Morphine|Fentanyl)'
GROUP BY p.gender;

-- Influence of aspirin on bleeding: users and non-users, bled or not.
WITH aspirin AS (SELECT DISTINCT pid FROM drug_exposure WHERE drug_concept_id = 19059056),
     bleeding AS (SELECT DISTINCT pid FROM condition_occurrence WHERE condition_concept_id = 192671)
SELECT CASE WHEN a.pid IS NOT NULL THEN 'aspirin' ELSE 'none' END AS exposure,
       CASE WHEN b.pid IS NOT NULL THEN 'bled' ELSE 'not' END AS outcome,
       count(*) AS persons
FROM person p
LEFT JOIN aspirin a ON a.pid = p.pid
LEFT JOIN bleeding b ON b.pid = p.pid
GROUP BY 1, 2;

-- Pneumococcal vaccination (40213201) of people aged 60 and older, by sex.
SELECT p.gender, count(DISTINCT d.pid) AS vaccinated
FROM drug_exposure d
JOIN person p ON p.pid = d.pid
WHERE d.drug_concept_id = 40213201 AND d.age >= 60
GROUP BY p.gender;

-- Number of different drugs per person (distribution in fives).
SELECT drugs / 5 * 5 AS at_least, count(*) AS persons
FROM (SELECT pid, count(DISTINCT drug_concept_id) AS drugs FROM drug_exposure GROUP BY pid) t
GROUP BY 1
ORDER BY 1;

-- Users of warfarin, digoxin or verapamil with atrial fibrillation.
SELECT d.drug_concept_id, count(DISTINCT d.pid) AS users
FROM drug_exposure d
WHERE d.drug_concept_id IN (40163554, 19018935, 40171902)
  AND EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.pid = d.pid AND c.condition_concept_id = 313217)
GROUP BY d.drug_concept_id;

-- Vaccines by kind and birth cohort.
SELECT k.concept_name, p.year_of_birth, count(DISTINCT d.pid) AS persons
FROM drug_exposure d
JOIN concept k ON k.concept_id = d.drug_concept_id
JOIN person p ON p.pid = d.pid
WHERE k.vocabulary_id = 'CVX'
GROUP BY k.concept_name, p.year_of_birth
ORDER BY k.concept_name, p.year_of_birth;

-- How many persons have which measurement?
SELECT k.concept_name, count(DISTINCT m.pid) AS persons, count(*) AS measurements
FROM measurement m
JOIN concept k ON k.concept_id = m.measurement_concept_id
GROUP BY k.concept_name
ORDER BY persons DESC;

-- Spirometries per person with chronic lung disease.
SELECT avg(n) AS mean_per_person, max(n) AS most, count(*) AS persons
FROM (
    SELECT m.pid, count(*) AS n
    FROM measurement m
    WHERE m.measurement_concept_id = 4133840
      AND m.pid IN (SELECT pid FROM condition_occurrence WHERE condition_concept_id IN (261325, 258780))
    GROUP BY m.pid
) t;

-- Throat cultures within streptococcal sore throat, by age band and sex.
SELECT m.age, p.gender, count(*) AS cultures
FROM measurement m
JOIN person p ON p.pid = m.pid
JOIN concept k ON k.concept_id = m.measurement_concept_id
WHERE k.concept_name = 'Throat culture'
GROUP BY m.age, p.gender
ORDER BY m.age, p.gender;

-- Women with any hormonal contraceptive, by birth cohort.
SELECT p.year_of_birth, count(DISTINCT p.pid) AS women
FROM person p
JOIN drug_exposure d ON d.pid = p.pid
JOIN concept k ON k.concept_id = d.drug_concept_id
WHERE p.gender = 'F'
  AND (k.concept_name LIKE '%Estradiol%' OR k.concept_name LIKE '%orethindrone%' OR k.concept_name LIKE 'Levonorgestrel%')
GROUP BY p.year_of_birth
ORDER BY p.year_of_birth;

-- Switchers: persons who had both celecoxib and diclofenac.
SELECT count(*) AS both_drugs
FROM (
    SELECT pid
    FROM drug_exposure
    WHERE drug_concept_id IN (1118084, 1124300)
    GROUP BY pid
    HAVING count(DISTINCT drug_concept_id) = 2
) s;
