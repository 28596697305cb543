-- Conditions and hospital stays on the Eunomia extract.

-- The twenty most frequent conditions by name.
SELECT k.concept_name, count(*) AS occurrences, count(DISTINCT c.pid) AS patients
FROM condition_occurrence c
JOIN concept k ON k.concept_id = c.condition_concept_id
GROUP BY k.concept_name
ORDER BY patients DESC
LIMIT 20;

-- All fractures, by name and sex.
SELECT k.concept_name, p.gender, count(DISTINCT c.pid) AS patients
FROM condition_occurrence c
JOIN concept k ON k.concept_id = c.condition_concept_id
JOIN person p ON p.pid = c.pid
WHERE lower(k.concept_name) LIKE '%fracture%'
GROUP BY k.concept_name, p.gender
ORDER BY k.concept_name, p.gender;

-- How long do conditions last on average?
SELECT k.concept_name, avg(c.condition_days) AS mean_days, count(c.condition_days) AS ended, count(*) AS all_occurrences
FROM condition_occurrence c
JOIN concept k ON c.condition_concept_id = k.concept_id
GROUP BY k.concept_name
HAVING count(*) >= 100
ORDER BY mean_days DESC;

-- Median and quartiles of the length of a viral sinusitis, by age band.
SELECT age,
       median(condition_days) AS median_days,
       approx_percentile_cont(0.25) WITHIN GROUP (ORDER BY condition_days) AS q1,
       approx_percentile_cont(0.75) WITHIN GROUP (ORDER BY condition_days) AS q3
FROM condition_occurrence
WHERE condition_concept_id = 40481087
GROUP BY age
ORDER BY age;

-- Hospital stays and days by age band and sex.
SELECT v.age, p.gender, count(*) AS stays, sum(v.visit_days) AS days, avg(v.visit_days) AS mean_days
FROM visit_occurrence v
JOIN person p USING (pid)
GROUP BY v.age, p.gender
ORDER BY v.age, p.gender;

-- Number of stays per person.
SELECT stays, count(*) AS persons
FROM (SELECT pid, count(*) AS stays FROM visit_occurrence GROUP BY pid) s
GROUP BY stays
ORDER BY stays;

-- Persons by number of different conditions, in bands.
SELECT CASE WHEN n < 5 THEN 'under 5' WHEN n < 10 THEN '5-9' WHEN n < 15 THEN '10-14' ELSE '15 and more' END AS conditions,
       count(*) AS persons
FROM (SELECT pid, count(DISTINCT condition_concept_id) AS n FROM condition_occurrence GROUP BY pid) t
GROUP BY 1;

-- Which conditions go with gastrointestinal haemorrhage?
SELECT k.concept_name, count(DISTINCT o.pid) AS patients
FROM condition_occurrence b
JOIN condition_occurrence o ON o.pid = b.pid AND o.condition_concept_id <> b.condition_concept_id
JOIN concept k ON k.concept_id = o.condition_concept_id
WHERE b.condition_concept_id = 192671
GROUP BY k.concept_name
ORDER BY patients DESC
LIMIT 15;

-- Gastrointestinal bleeding after a peptic ulcer (4027663): yes and no.
SELECT CASE WHEN b.pid IS NOT NULL THEN 'yes' ELSE 'no' END AS bled, count(*) AS persons
FROM (SELECT DISTINCT pid FROM condition_occurrence WHERE condition_concept_id = 4027663) u
LEFT JOIN (SELECT DISTINCT pid FROM condition_occurrence WHERE condition_concept_id = 192671) b ON b.pid = u.pid
GROUP BY 1;

-- Injuries (sprains, lacerations, burns, concussions) by age band at the injury.
SELECT c.age,
       count(*) FILTER (WHERE k.concept_name LIKE 'Sprain%') AS sprains,
       count(*) FILTER (WHERE k.concept_name LIKE 'Laceration%' OR k.concept_name = 'Facial laceration') AS lacerations,
       count(*) FILTER (WHERE k.concept_name LIKE '%burn') AS burns,
       count(*) FILTER (WHERE k.concept_name LIKE 'Concussion%') AS concussions
FROM condition_occurrence c
JOIN concept k ON k.concept_id = c.condition_concept_id
GROUP BY c.age
ORDER BY c.age;

-- Upper respiratory infections per person and age band.
SELECT age, count(*) AS infections, count(DISTINCT pid) AS persons, 1.0 * count(*) / count(DISTINCT pid) AS per_person
FROM condition_occurrence
WHERE condition_concept_id IN (40481087, 4112343, 260139, 28060, 4283893, 4294548)
GROUP BY age
ORDER BY age;

-- Concepts that occur for at least ten persons in each sex.
SELECT concept_name, women, men
FROM (
    SELECT k.concept_name,
           count(DISTINCT CASE WHEN p.gender = 'F' THEN c.pid END) AS women,
           count(DISTINCT CASE WHEN p.gender = 'M' THEN c.pid END) AS men
    FROM condition_occurrence c
    JOIN person p ON p.pid = c.pid
    JOIN concept k ON k.concept_id = c.condition_concept_id
    GROUP BY k.concept_name
) t
WHERE women >= 10 AND men >= 10
ORDER BY women + men DESC;

-- Concepts of the extract that nobody has.
SELECT k.concept_name
FROM concept k
WHERE k.domain_id = 'Condition'
  AND NOT EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.condition_concept_id = k.concept_id);

-- Age at the first fracture of any kind.
SELECT first_age, count(*) AS persons
FROM (
    SELECT c.pid, min(c.age) AS first_age
    FROM condition_occurrence c
    JOIN concept k ON k.concept_id = c.condition_concept_id
    WHERE k.concept_name ILIKE '%fracture%'
    GROUP BY c.pid
) f
GROUP BY first_age
ORDER BY first_age;

-- Dementia: Alzheimer's disease of either kind by race and sex.
SELECT p.race, p.gender, count(DISTINCT p.pid) AS patients
FROM person p
JOIN condition_occurrence c ON c.pid = p.pid
WHERE c.condition_concept_id IN (378419, 4043241)
GROUP BY p.race, p.gender;

-- Otitis media in children: persons and episodes by sex, with the total.
SELECT p.gender, count(DISTINCT c.pid) AS children, count(*) AS episodes
FROM condition_occurrence c
JOIN person p ON p.pid = c.pid
WHERE c.condition_concept_id = 372328 AND c.age = 0
GROUP BY GROUPING SETS ((p.gender), ());
