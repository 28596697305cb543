-- Comorbidity, quality indicators and cohorts of persons on the generated claims.

-- Comorbidity of diabetes: which other diagnoses do people with E11 have?
SELECT c.icd10, count(DISTINCT c.pid) AS patients
FROM claims c
WHERE c.pid IN (SELECT pid FROM claims WHERE icd10 = 'E11')
  AND c.icd10 <> 'E11'
GROUP BY c.icd10
ORDER BY patients DESC
LIMIT 30;

-- Pairs of chronic diseases in the same person.
SELECT a.icd10 AS first, b.icd10 AS second, count(DISTINCT a.pid) AS patients
FROM claims a
JOIN claims b ON a.pid = b.pid AND a.icd10 < b.icd10
WHERE a.icd10 IN ('I10', 'E11', 'E78', 'I50', 'N18', 'J44')
  AND b.icd10 IN ('I10', 'E11', 'E78', 'I50', 'N18', 'J44')
GROUP BY a.icd10, b.icd10
ORDER BY patients DESC;

-- Multimorbidity: number of distinct chronic conditions per person, by birth cohort.
SELECT p.birth_year, t.conditions, count(*) AS persons
FROM (
    SELECT pid, count(DISTINCT icd10) AS conditions
    FROM claims
    WHERE icd10 IN ('I10', 'E11', 'E78', 'I50', 'I20', 'I48', 'N18', 'J44', 'J45', 'M06', 'F32', 'G30')
    GROUP BY pid
) t
JOIN persons p ON p.pid = t.pid
GROUP BY p.birth_year, t.conditions
ORDER BY p.birth_year, t.conditions;

-- Hypertension, diabetes and dyslipidaemia: all eight combinations.
SELECT htn, dm, lipid, count(*) AS persons
FROM (
    SELECT pid,
           max(CASE WHEN icd10 = 'I10' THEN 1 ELSE 0 END) AS htn,
           max(CASE WHEN icd10 = 'E11' THEN 1 ELSE 0 END) AS dm,
           max(CASE WHEN icd10 = 'E78' THEN 1 ELSE 0 END) AS lipid
    FROM claims
    GROUP BY pid
) flags
GROUP BY htn, dm, lipid
ORDER BY htn, dm, lipid;

-- A simple Charlson-like score per person and its distribution.
SELECT score, count(*) AS persons, avg(points) AS mean_points
FROM (
    SELECT pid,
           max(CASE WHEN icd10 IN ('I21', 'I50') THEN 1 ELSE 0 END)
         + max(CASE WHEN icd10 IN ('E10', 'E11') THEN 1 ELSE 0 END)
         + max(CASE WHEN icd10 = 'N18' THEN 2 ELSE 0 END)
         + max(CASE WHEN icd10 LIKE 'C%' THEN 2 ELSE 0 END) AS score,
           sum(points) AS points
    FROM claims
    GROUP BY pid
) s
GROUP BY score
ORDER BY score;

-- Quality: share of people with diabetes who received an antidiabetic drug in the fiscal year 2024.
SELECT count(DISTINCT d.pid) AS diabetics,
       count(DISTINCT t.pid) AS treated,
       100.0 * count(DISTINCT t.pid) / count(DISTINCT d.pid) AS percent
FROM (SELECT DISTINCT pid FROM claims WHERE icd10 = 'E11' AND claim_month >= DATE '2024-04-01') d
LEFT JOIN (
    SELECT DISTINCT pid FROM claims
    WHERE substr(yj, 1, 4) IN ('3961', '3962', '3969', '2492') AND claim_month >= DATE '2024-04-01'
) t ON t.pid = d.pid;

-- Quality: people with atrial fibrillation without an anticoagulant or antiplatelet (3339, 3399), by sex.
SELECT p.sex, count(*) AS untreated
FROM persons p
WHERE EXISTS (SELECT 1 FROM claims c WHERE c.pid = p.pid AND c.icd10 = 'I48')
  AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.pid = p.pid AND substr(c.yj, 1, 4) IN ('3339', '3399'))
GROUP BY p.sex;

-- Quality: inappropriate antibiotics. Patients with a common cold (J06) and 6132 in the same claim.
SELECT p.birth_year,
       count(*) AS colds,
       count(*) FILTER (WHERE c.yj LIKE '6132%' OR c.yj LIKE '6149%') AS antibiotics
FROM claims c
JOIN persons p ON p.pid = c.pid
WHERE c.icd10 = 'J06'
GROUP BY p.birth_year
ORDER BY p.birth_year;

-- Osteoporosis treatment after hip fracture.
SELECT count(DISTINCT f.pid) AS fractures, count(DISTINCT t.pid) AS treated
FROM claims f
LEFT JOIN claims t ON t.pid = f.pid AND t.yj LIKE '3999%'
WHERE f.icd10 = 'S72';

-- Women with a delivery (O80) by birth cohort.
SELECT p.birth_year, count(DISTINCT p.pid) AS women
FROM persons p
JOIN claims c ON c.pid = p.pid AND c.icd10 = 'O80'
WHERE p.sex = 'F'
GROUP BY p.birth_year;

-- Rare diseases: patients and mean annual points of haemophilia, Gaucher-like storage disease, ALS and Wilson's disease.
SELECT icd10, count(DISTINCT pid) AS patients, sum(points) / count(DISTINCT pid) / 2.0 AS points_per_year
FROM claims
WHERE icd10 IN ('D66', 'E75', 'G12', 'E83', 'G35')
GROUP BY icd10;

-- Cancer patients with and without depression: mean days of treatment.
SELECT CASE WHEN d.pid IS NULL THEN 'no depression' ELSE 'depression' END AS grp,
       count(DISTINCT c.pid) AS patients,
       avg(c.days) AS mean_days
FROM claims c
LEFT JOIN (SELECT DISTINCT pid FROM claims WHERE icd10 = 'F32') d ON d.pid = c.pid
WHERE c.icd10 LIKE 'C%'
GROUP BY 1;

-- Two-by-two table of asthma and allergic rhinitis.
WITH flags AS (
    SELECT p.pid,
           coalesce(bool_or(c.icd10 = 'J45'), false) AS asthma,
           coalesce(bool_or(c.icd10 = 'J30'), false) AS rhinitis
    FROM persons p
    LEFT JOIN claims c ON c.pid = p.pid
    GROUP BY p.pid
)
SELECT asthma, rhinitis, count(*) AS persons
FROM flags
GROUP BY asthma, rhinitis;

-- Cases with lung cancer, and controls without.
SELECT 'case' AS grp, count(*) AS persons
FROM persons
WHERE pid IN (SELECT pid FROM claims WHERE icd10 = 'C34')
UNION ALL
SELECT 'control', count(*)
FROM persons
WHERE pid NOT IN (SELECT pid FROM claims WHERE icd10 = 'C34');

-- Points by number of chronic diseases and sex, both with subtotals.
SELECT p.sex, t.n, count(*) AS persons, sum(t.points) AS points
FROM (
    SELECT pid, count(DISTINCT icd10) AS n, sum(points) AS points
    FROM claims
    WHERE icd10 IN ('I10', 'E11', 'E78', 'J45', 'N18')
    GROUP BY pid
) t
JOIN persons p ON p.pid = t.pid
GROUP BY GROUPING SETS ((p.sex, t.n), (p.sex), ());

-- Correlation of treatment days and points.
SELECT corr(days, points) AS r, count(*) AS n
FROM claims;

-- Cumulative share of patients by number of claims.
SELECT n, patients, sum(patients) OVER (ORDER BY n) AS cumulative
FROM (
    SELECT n, count(*) AS patients
    FROM (SELECT pid, count(*) AS n FROM claims GROUP BY pid) a
    GROUP BY n
) b
ORDER BY n;
